BEGIN TRANSACTION;
CREATE TABLE asked (
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (contact, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    channel TEXT NOT NULL,
    repeats INTEGER REFERENCES attempt (id),
    revision INTEGER NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    intent_at INTEGER NOT NULL,
    ended_at INTEGER,
    status TEXT NOT NULL DEFAULT 'intent' CHECK (status IN ('intent', 'accepted', 'failed', 'unknown')),
    provider_id TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    unreached INTEGER NOT NULL DEFAULT 0 CHECK (unreached IN (0, 1)),
    bundle INTEGER REFERENCES attempt (id),
    parts INTEGER NOT NULL DEFAULT 1,
    UNIQUE (notification, number),
    CHECK ((status = 'intent') = (ended_at IS NULL)),
    CHECK (status NOT IN ('failed', 'unknown') OR error <> '')
) STRICT;
INSERT INTO "attempt" VALUES(1,1,1,'mail',NULL,1,'critical',0,1788264036000000,1788264036000000,'accepted','id-1','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(2,2,1,'sms',NULL,1,'critical',0,1788264036000000,1788264036000000,'accepted','id-1','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(3,3,1,'mail',NULL,4,'critical',1,1788264065000000,1788264065000000,'accepted','id-2','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(4,4,1,'sms',NULL,4,'critical',1,1788264065000000,1788264065000000,'accepted','id-2','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(5,5,1,'mail',NULL,1,'critical',0,1788264078000000,1788264078000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(6,6,1,'sms',NULL,1,'critical',0,1788264078000000,1788264078000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(7,5,2,'mail',NULL,1,'critical',0,1788264080000000,1788264080000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(8,6,2,'sms',NULL,1,'critical',0,1788264080000000,1788264080000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(9,5,3,'mail',NULL,1,'critical',0,1788264083000000,1788264083000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(10,6,3,'sms',NULL,1,'critical',0,1788264084000000,1788264084000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(11,5,4,'mail',NULL,1,'critical',0,1788264090000000,1788264090000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(12,6,4,'sms',NULL,1,'critical',0,1788264091000000,1788264091000000,'failed','','','no route to host',1,NULL,1);
INSERT INTO "attempt" VALUES(13,5,5,'mail',NULL,2,'critical',1,1788264096000000,1788264096000000,'accepted','id-3','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(14,6,5,'sms',NULL,2,'critical',1,1788264096000000,1788264096000000,'accepted','id-3','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(15,7,1,'mail',NULL,1,'critical',0,1788264126000000,1788264126000000,'accepted','id-4','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(16,8,1,'sms',NULL,1,'critical',0,1788264126000000,1788264126000000,'accepted','id-4','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(17,9,1,'mail',NULL,1,'warning',0,1788264141000000,1788264141000000,'accepted','id-5','0: Accepted','',0,NULL,1);
INSERT INTO "attempt" VALUES(18,10,1,'sms',NULL,1,'warning',0,1788264141000000,1788264141000000,'accepted','id-5','0: Accepted','',0,NULL,1);
CREATE TABLE baseline (
                vantage TEXT NOT NULL, check_id TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
                middles BLOB NOT NULL, spreads BLOB NOT NULL, weeks BLOB NOT NULL, doubts BLOB NOT NULL,
                facts TEXT NOT NULL, PRIMARY KEY (vantage, check_id, part, key)
            ) STRICT;
CREATE TABLE code (
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    letters TEXT NOT NULL,
    drawn_at INTEGER NOT NULL,
    PRIMARY KEY (incident, contact)
) STRICT, WITHOUT ROWID;
CREATE TABLE contact (
    name TEXT PRIMARY KEY,
    agency TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "contact" VALUES('desk','CTU');
CREATE TABLE drill (
    id TEXT PRIMARY KEY CHECK (id = 'E' || number),
    number INTEGER NOT NULL UNIQUE,
    scenario TEXT NOT NULL,
    facts TEXT NOT NULL,
    runbook TEXT NOT NULL,
    steps INTEGER NOT NULL,
    author TEXT NOT NULL,
    after INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL CHECK (due_at > began_at),
    ended_at INTEGER,
    ending TEXT NOT NULL DEFAULT '' CHECK (ending IN ('', 'over', 'ended', 'broken off')),
    why TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ending = '') AND (ended_at IS NULL) = (why = ''))
) STRICT, WITHOUT ROWID;
CREATE TABLE drill_contact (
    drill TEXT NOT NULL REFERENCES drill (id),
    contact TEXT NOT NULL REFERENCES contact (name),
    agency TEXT NOT NULL,
    PRIMARY KEY (drill, contact)
) STRICT, WITHOUT ROWID;
CREATE TABLE duty (
    rotation TEXT PRIMARY KEY,
    contacts TEXT NOT NULL,
    next_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE escalation (
    incident TEXT NOT NULL,
    ladder TEXT NOT NULL,
    agency TEXT NOT NULL,
    route TEXT NOT NULL,
    steps TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    loop INTEGER NOT NULL CHECK (loop >= 0),
    state TEXT NOT NULL CHECK (state IN ('running', 'acknowledged', 'exhausted', 'over')),
    next_at INTEGER,
    began_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (incident, ladder),
    CHECK ((state IN ('running', 'acknowledged')) = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE escalation_event (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    ladder TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL,
    loop INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE foreign_alert (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    generator TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    named INTEGER NOT NULL CHECK (named IN (0, 1)),
    heard_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    closed_at INTEGER,
    closing TEXT NOT NULL,
    late INTEGER NOT NULL CHECK (late IN (0, 1)),
    CHECK ((closed_at IS NULL) = (closing = ''))
) STRICT;
CREATE TABLE foreign_event (
    id INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL REFERENCES foreign_alert (id),
    at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE guess (
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    wrong INTEGER NOT NULL CHECK (wrong >= 1),
    locked_at INTEGER,
    PRIMARY KEY (incident, contact, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE heard (
    channel TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    incident TEXT NOT NULL,
    at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    text TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (channel, provider_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE incident (
                id INTEGER PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
                began INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER, revision INTEGER NOT NULL,
                CHECK (closed IS NULL OR closed >= opened)
            ) STRICT;
INSERT INTO "incident" VALUES(1,'cable:bon1','cable',3,1788264022857143,1788264035007143,1788264064100000,4);
INSERT INTO "incident" VALUES(2,'vantage:hub','vantage',3,1788264070000000,1788264077000000,1788264095050000,2);
INSERT INTO "incident" VALUES(3,'cable:bon1','cable',3,1788264112857143,1788264125007143,NULL,1);
INSERT INTO "incident" VALUES(4,'cable:ant1','cable',1,1788264130000000,1788264140050000,NULL,1);
CREATE TABLE incident_entry (
                incident INTEGER NOT NULL REFERENCES incident, number INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (incident, number)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_entry" VALUES(1,0,1788264035007143,'opened','Cable BON1 down: no answer within 2.0 s');
INSERT INTO "incident_entry" VALUES(1,1,1788264035007143,'joined','BON is unreachable behind BON1');
INSERT INTO "incident_entry" VALUES(1,2,1788264035007143,'joined','BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(1,3,1788264035007143,'joined','NS.BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(1,4,1788264062957143,'recovered','answers again; waiting for BON, BON, NS.BON');
INSERT INTO "incident_entry" VALUES(1,5,1788264063100000,'left','BON answers again');
INSERT INTO "incident_entry" VALUES(1,6,1788264063100000,'left','NS.BON answers again');
INSERT INTO "incident_entry" VALUES(1,7,1788264064100000,'left','BON answers again');
INSERT INTO "incident_entry" VALUES(1,8,1788264064100000,'closed','BON1 answers again');
INSERT INTO "incident_entry" VALUES(2,0,1788264077000000,'opened','Vantage HUB cut off: references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)');
INSERT INTO "incident_entry" VALUES(2,1,1788264095050000,'closed','HUB answers again');
INSERT INTO "incident_entry" VALUES(3,0,1788264125007143,'opened','Cable BON1 down: no answer within 2.0 s');
INSERT INTO "incident_entry" VALUES(3,1,1788264125007143,'joined','BON is unreachable behind BON1');
INSERT INTO "incident_entry" VALUES(3,2,1788264125007143,'joined','BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(3,3,1788264125007143,'joined','NS.BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(4,0,1788264140050000,'opened','Cable ANT1 down: no answer within 2.0 s');
CREATE TABLE incident_revision (
                incident INTEGER NOT NULL REFERENCES incident, revision INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (incident, revision)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_revision" VALUES(1,1,1788264035007143,'opened','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264035007143,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","confidence":1.0,"evidence":["cable:bon1/4/icmp/: no answer within 2.0 s, since 12:00:22 UTC"],"fellow":false,"gravest":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264035007143,"part_of":"","people":[0,74656],"phase":"down","reason":"no answer within 2.0 s","revision":1,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,2,1788264062957143,'updated','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264062957143,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","confidence":1.0,"evidence":["cable:bon1/4/icmp/: no answer within 2.0 s, since 12:00:22 UTC"],"fellow":false,"gravest":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264035007143,"part_of":"","people":[0,74656],"phase":"down","reason":"no answer within 2.0 s","revision":2,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,3,1788264063100000,'updated','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264063100000,"children":["router:bon"],"closed":null,"closing":"","confidence":1.0,"evidence":["cable:bon1/4/icmp/: no answer within 2.0 s, since 12:00:22 UTC"],"fellow":false,"gravest":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264035007143,"part_of":"","people":[0,74656],"phase":"down","reason":"no answer within 2.0 s","revision":3,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,4,1788264064100000,'closed','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264064100000,"children":[],"closed":1788264064100000,"closing":"answers again","confidence":1.0,"evidence":["cable:bon1/4/icmp/: no answer within 2.0 s, since 12:00:22 UTC"],"fellow":false,"gravest":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264035007143,"part_of":"","people":[0,74656],"phase":"down","reason":"no answer within 2.0 s","revision":4,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(2,1,1788264077000000,'opened','{"asset":"vantage:hub","began":1788264070000000,"changed":1788264077000000,"children":[],"closed":null,"closing":"","confidence":1.0,"evidence":["vantage:hub/references/4: references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s), since 12:01:10 UTC"],"fellow":false,"gravest":"","id":"2","kind":"vantage","left":"","opened":1788264077000000,"part_of":"","people":[0,0],"phase":"down","reason":"references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)","revision":1,"runbook":"book@0","severity":"critical","territories":[],"title":"Vantage HUB cut off"}');
INSERT INTO "incident_revision" VALUES(2,2,1788264095050000,'closed','{"asset":"vantage:hub","began":1788264070000000,"changed":1788264095050000,"children":[],"closed":1788264095050000,"closing":"answers again","confidence":1.0,"evidence":["vantage:hub/references/4: references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s), since 12:01:10 UTC"],"fellow":false,"gravest":"","id":"2","kind":"vantage","left":"","opened":1788264077000000,"part_of":"","people":[0,0],"phase":"down","reason":"references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)","revision":2,"runbook":"book@0","severity":"critical","territories":[],"title":"Vantage HUB cut off"}');
INSERT INTO "incident_revision" VALUES(3,1,1788264125007143,'opened','{"asset":"cable:bon1","began":1788264112857143,"changed":1788264125007143,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","confidence":1.0,"evidence":["cable:bon1/4/icmp/: no answer within 2.0 s, since 12:01:52 UTC"],"fellow":false,"gravest":"","id":"3","kind":"cable","left":"BON has nothing left","opened":1788264125007143,"part_of":"","people":[0,74656],"phase":"down","reason":"no answer within 2.0 s","revision":1,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(4,1,1788264140050000,'opened','{"asset":"cable:ant1","began":1788264130000000,"changed":1788264140050000,"children":[],"closed":null,"closing":"","confidence":1.0,"evidence":["cable:ant1/4/icmp/: no answer within 2.0 s, since 12:02:10 UTC"],"fellow":false,"gravest":"","id":"4","kind":"cable","left":"ANT still has ANT2","opened":1788264140050000,"part_of":"","people":[0,0],"phase":"down","reason":"no answer within 2.0 s","revision":1,"runbook":"book@0","severity":"warning","territories":["AG"],"title":"Cable ANT1 down"}');
CREATE TABLE incident_territory (
                incident INTEGER NOT NULL REFERENCES incident, territory TEXT NOT NULL,
                PRIMARY KEY (territory, incident)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_territory" VALUES(4,'AG');
INSERT INTO "incident_territory" VALUES(1,'DM');
INSERT INTO "incident_territory" VALUES(3,'DM');
CREATE TABLE link (
    digest TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE maintenance (
                number INTEGER PRIMARY KEY, name TEXT NOT NULL,
                origin TEXT NOT NULL CHECK (origin IN ('config', 'hand', 'calendar')), uid TEXT NOT NULL,
                asset TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL,
                author TEXT NOT NULL, below INTEGER NOT NULL, rule TEXT NOT NULL, zone TEXT NOT NULL,
                skipped TEXT NOT NULL, added INTEGER NOT NULL, added_by TEXT NOT NULL, CHECK (until > since)
            ) STRICT;
CREATE TABLE maintenance_end (
                number INTEGER PRIMARY KEY REFERENCES maintenance, ended INTEGER NOT NULL, ended_by TEXT NOT NULL
            ) STRICT;
CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    reason TEXT NOT NULL
        CHECK (reason IN ('first', 'worse', 'repeat', 'resolved', 'test', 'escalate', 'handover', 'drill')),
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    revision INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL CHECK (deadline_at > planned_at),
    state TEXT NOT NULL DEFAULT 'planned' CHECK (state IN
        ('planned', 'ready', 'accepted', 'delivered', 'acknowledged', 'superseded', 'expired', 'refused')),
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    route TEXT NOT NULL DEFAULT '',
    ladder TEXT NOT NULL DEFAULT '',
    grp TEXT NOT NULL DEFAULT '',
    held TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('planned', 'ready')) = (ended_at IS NULL)),
    CHECK (ended_at IS NULL OR ended_at = changed_at),
    CHECK (state NOT IN ('acknowledged', 'superseded', 'expired', 'refused') OR why <> '')
) STRICT;
INSERT INTO "notification" VALUES(1,'1','desk','mail','first','critical',1,1788264035007143,1788264035007143,1788350435007143,'accepted',1788264036000000,1788264036000000,'','all','','','');
INSERT INTO "notification" VALUES(2,'1','desk','sms','first','critical',1,1788264035007143,1788264035007143,1788350435007143,'accepted',1788264036000000,1788264036000000,'','all','','','');
INSERT INTO "notification" VALUES(3,'1','desk','mail','resolved','critical',4,1788264064100000,1788264064100000,1788350464100000,'accepted',1788264065000000,1788264065000000,'','all','','','');
INSERT INTO "notification" VALUES(4,'1','desk','sms','resolved','critical',4,1788264064100000,1788264064100000,1788350464100000,'accepted',1788264065000000,1788264065000000,'','all','','','');
INSERT INTO "notification" VALUES(5,'2','desk','mail','first','critical',1,1788264077000000,1788264096000000,1788350477000000,'accepted',1788264096000000,1788264096000000,'','all','','','');
INSERT INTO "notification" VALUES(6,'2','desk','sms','first','critical',1,1788264077000000,1788264096000000,1788350477000000,'accepted',1788264096000000,1788264096000000,'','all','','','');
INSERT INTO "notification" VALUES(7,'3','desk','mail','first','critical',1,1788264125007143,1788264125007143,1788350525007143,'accepted',1788264126000000,1788264126000000,'','all','','','');
INSERT INTO "notification" VALUES(8,'3','desk','sms','first','critical',1,1788264125007143,1788264125007143,1788350525007143,'accepted',1788264126000000,1788264126000000,'','all','','','');
INSERT INTO "notification" VALUES(9,'4','desk','mail','first','warning',1,1788264140050000,1788264140050000,1788350540050000,'accepted',1788264141000000,1788264141000000,'','all','','','');
INSERT INTO "notification" VALUES(10,'4','desk','sms','first','warning',1,1788264140050000,1788264140050000,1788350540050000,'accepted',1788264141000000,1788264141000000,'','all','','','');
CREATE TABLE notification_event (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
INSERT INTO "notification_event" VALUES(1,1,1788264035007143,'planned','');
INSERT INTO "notification_event" VALUES(2,2,1788264035007143,'planned','');
INSERT INTO "notification_event" VALUES(3,1,1788264036000000,'accepted','');
INSERT INTO "notification_event" VALUES(4,2,1788264036000000,'accepted','');
INSERT INTO "notification_event" VALUES(5,3,1788264064100000,'planned','');
INSERT INTO "notification_event" VALUES(6,4,1788264064100000,'planned','');
INSERT INTO "notification_event" VALUES(7,3,1788264065000000,'accepted','');
INSERT INTO "notification_event" VALUES(8,4,1788264065000000,'accepted','');
INSERT INTO "notification_event" VALUES(9,5,1788264077000000,'planned','');
INSERT INTO "notification_event" VALUES(10,6,1788264077000000,'planned','');
INSERT INTO "notification_event" VALUES(11,5,1788264096000000,'accepted','');
INSERT INTO "notification_event" VALUES(12,6,1788264096000000,'accepted','');
INSERT INTO "notification_event" VALUES(13,7,1788264125007143,'planned','');
INSERT INTO "notification_event" VALUES(14,8,1788264125007143,'planned','');
INSERT INTO "notification_event" VALUES(15,7,1788264126000000,'accepted','');
INSERT INTO "notification_event" VALUES(16,8,1788264126000000,'accepted','');
INSERT INTO "notification_event" VALUES(17,9,1788264140050000,'planned','');
INSERT INTO "notification_event" VALUES(18,10,1788264140050000,'planned','');
INSERT INTO "notification_event" VALUES(19,9,1788264141000000,'accepted','');
INSERT INTO "notification_event" VALUES(20,10,1788264141000000,'accepted','');
CREATE TABLE pending (
                asset TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('waiting', 'recovered')),
                since INTEGER NOT NULL, PRIMARY KEY (asset, what)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "pending" VALUES('vantage:hub','recovered',1788264095050000);
CREATE TABLE posture (
                number INTEGER PRIMARY KEY, territory TEXT NOT NULL, level TEXT NOT NULL, since INTEGER NOT NULL,
                until INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL, added_by TEXT NOT NULL,
                CHECK (until > since)
            ) STRICT;
CREATE TABLE posture_end (
                number INTEGER PRIMARY KEY REFERENCES posture, ended INTEGER NOT NULL, ending TEXT NOT NULL,
                ended_by TEXT NOT NULL
            ) STRICT;
CREATE TABLE progress (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    book TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 1),
    what TEXT NOT NULL CHECK (what IN ('sent', 'done')),
    at INTEGER NOT NULL,
    UNIQUE (incident, contact, book, step, what)
) STRICT;
CREATE TABLE proof (
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    letters TEXT NOT NULL DEFAULT '',
    sent_at INTEGER,
    wrong INTEGER NOT NULL DEFAULT 0,
    confirmed_at INTEGER,
    PRIMARY KEY (contact, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (
    id INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    at INTEGER NOT NULL,
    fate TEXT NOT NULL CHECK (fate IN ('buffered', 'delivered', 'failed')),
    detail TEXT NOT NULL,
    UNIQUE (attempt, fate)
) STRICT;
CREATE TABLE response (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL,
    agency TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('ack', 'next', 'done', 'wait', 'repeat', 'help', 'resolve')),
    step INTEGER,
    minutes INTEGER,
    at INTEGER NOT NULL,
    via TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;
CREATE TABLE schema_version (
    owner TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, n)
) STRICT, WITHOUT ROWID;
INSERT INTO "schema_version" VALUES('alerting',1,'notifications and attempts');
INSERT INTO "schema_version" VALUES('alerting',2,'tries that found no path');
INSERT INTO "schema_version" VALUES('alerting',3,'ladders, groups, silences');
INSERT INTO "schema_version" VALUES('alerting',4,'receipts and answers');
INSERT INTO "schema_version" VALUES('alerting',5,'what is due is found however long the history');
INSERT INTO "schema_version" VALUES('alerting',6,'exercises');
INSERT INTO "schema_version" VALUES('alerting',7,'alerts of other systems');
INSERT INTO "schema_version" VALUES('alerting',8,'a ladder that stands still writes no history');
INSERT INTO "schema_version" VALUES('alerting',9,'steps are those of a runbook');
INSERT INTO "schema_version" VALUES('monitor',1,'the line');
INSERT INTO "schema_version" VALUES('monitor',2,'maintenance');
INSERT INTO "schema_version" VALUES('monitor',3,'baselines');
INSERT INTO "schema_version" VALUES('monitor',4,'postures');
CREATE TABLE signal (
                id INTEGER PRIMARY KEY, check_id TEXT NOT NULL, part TEXT NOT NULL, asset TEXT NOT NULL,
                old TEXT NOT NULL, new TEXT NOT NULL, at INTEGER NOT NULL, began INTEGER NOT NULL,
                reason TEXT NOT NULL
            ) STRICT;
INSERT INTO "signal" VALUES(1,'vantage:hub/references/4','','vantage:hub','unknown','up',1788264000050000,1788264000000000,'');
INSERT INTO "signal" VALUES(2,'cable:ant1/4/icmp/','','cable:ant1','unknown','up',1788264000050000,1788264000000000,'');
INSERT INTO "signal" VALUES(3,'cable:ant2/4/icmp/','','cable:ant2','unknown','up',1788264001478571,1788264001428571,'');
INSERT INTO "signal" VALUES(4,'cable:bon1/4/icmp/','','cable:bon1','unknown','up',1788264002907143,1788264002857143,'');
INSERT INTO "signal" VALUES(5,'nameserver:ns.ant/4/icmp/','','nameserver:ns.ant','unknown','up',1788264004335714,1788264004285714,'');
INSERT INTO "signal" VALUES(6,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','unknown','up',1788264005764286,1788264005714286,'');
INSERT INTO "signal" VALUES(7,'router:ant/4/icmp/','','router:ant','unknown','up',1788264007192857,1788264007142857,'');
INSERT INTO "signal" VALUES(8,'router:bon/4/icmp/','','router:bon','unknown','up',1788264008621429,1788264008571429,'');
INSERT INTO "signal" VALUES(9,'cable:bon1/4/icmp/','','cable:bon1','up','down',1788264032957143,1788264022857143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(10,'router:bon/4/icmp/','','router:bon','up','down',1788264035007143,1788264024907143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(11,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','down',1788264035007143,1788264024917143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(12,'cable:bon1/4/icmp/','','cable:bon1','down','up',1788264062957143,1788264062857143,'');
INSERT INTO "signal" VALUES(13,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','down','up',1788264063100000,1788264063000000,'');
INSERT INTO "signal" VALUES(14,'router:bon/4/icmp/','','router:bon','down','up',1788264064100000,1788264064000000,'');
INSERT INTO "signal" VALUES(15,'cable:ant1/4/icmp/','','cable:ant1','up','unknown',1788264072000000,1788264070000000,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(16,'cable:ant2/4/icmp/','','cable:ant2','up','unknown',1788264073428571,1788264071428571,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(17,'cable:bon1/4/icmp/','','cable:bon1','up','unknown',1788264074857143,1788264072857143,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(18,'nameserver:ns.ant/4/icmp/','','nameserver:ns.ant','up','unknown',1788264076285714,1788264074285714,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(19,'vantage:hub/references/4','','vantage:hub','up','down',1788264077000000,1788264070000000,'references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)');
INSERT INTO "signal" VALUES(20,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','unknown',1788264077714286,1788264075714286,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(21,'router:ant/4/icmp/','','router:ant','up','unknown',1788264079142857,1788264077142857,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(22,'router:bon/4/icmp/','','router:bon','up','unknown',1788264080571429,1788264078571429,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(23,'vantage:hub/references/4','','vantage:hub','down','up',1788264095050000,1788264095000000,'');
INSERT INTO "signal" VALUES(24,'cable:ant1/4/icmp/','','cable:ant1','unknown','up',1788264095100000,1788264095050000,'');
INSERT INTO "signal" VALUES(25,'cable:ant2/4/icmp/','','cable:ant2','unknown','up',1788264095110000,1788264095060000,'');
INSERT INTO "signal" VALUES(26,'cable:bon1/4/icmp/','','cable:bon1','unknown','up',1788264095120000,1788264095070000,'');
INSERT INTO "signal" VALUES(27,'router:ant/4/icmp/','','router:ant','unknown','up',1788264095130000,1788264095080000,'');
INSERT INTO "signal" VALUES(28,'router:bon/4/icmp/','','router:bon','unknown','up',1788264095140000,1788264095090000,'');
INSERT INTO "signal" VALUES(29,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','unknown','up',1788264095160000,1788264095110000,'');
INSERT INTO "signal" VALUES(30,'nameserver:ns.ant/4/icmp/','','nameserver:ns.ant','unknown','up',1788264104335714,1788264104285714,'');
INSERT INTO "signal" VALUES(31,'cable:bon1/4/icmp/','','cable:bon1','up','down',1788264122957143,1788264112857143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(32,'router:bon/4/icmp/','','router:bon','up','down',1788264125007143,1788264114907143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(33,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','down',1788264125007143,1788264114917143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(34,'cable:ant1/4/icmp/','','cable:ant1','up','down',1788264140050000,1788264130000000,'no answer within 2.0 s');
CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    matchers TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (ends_at >= starts_at),
    author TEXT NOT NULL CHECK (author <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    added_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE state (
                check_id TEXT NOT NULL, part TEXT NOT NULL, phase TEXT NOT NULL, since INTEGER NOT NULL,
                reason TEXT NOT NULL, settled TEXT NOT NULL, settled_since INTEGER NOT NULL, before TEXT NOT NULL,
                seen INTEGER NOT NULL, run INTEGER NOT NULL, run_since INTEGER, leaning TEXT NOT NULL,
                refused INTEGER NOT NULL, PRIMARY KEY (check_id, part)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "state" VALUES('cable:ant1/4/icmp/','','down',1788264130000000,'no answer within 2.0 s','down',1788264130000000,'down',1788264138050000,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('cable:ant2/4/icmp/','','up',1788264095060000,'','up',1788264095060000,'up',1788264095060000,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('cable:bon1/4/icmp/','','down',1788264112857143,'no answer within 2.0 s','down',1788264112857143,'down',1788264120907143,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('nameserver:ns.ant/4/icmp/','','up',1788264104285714,'','up',1788264104285714,'up',1788264104285714,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('nameserver:ns.bon/4/icmp/','','down',1788264114917143,'no answer within 2.0 s','down',1788264114917143,'down',1788264122967143,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('router:ant/4/icmp/','','up',1788264095080000,'','up',1788264095080000,'up',1788264095080000,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('router:bon/4/icmp/','','down',1788264114907143,'no answer within 2.0 s','down',1788264114907143,'down',1788264122957143,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('vantage:hub/references/4','','up',1788264095000000,'','up',1788264095000000,'up',1788264095000000,0,NULL,'unknown',0);
CREATE TABLE text (
    attempt INTEGER PRIMARY KEY REFERENCES attempt (id),
    subject TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "text" VALUES(1,'[1] CRITICAL: Cable BON1 down, Dominica','Cable BON1 down

Severity: critical
Where:    Dominica
Since:    1 Sep 2026 12:00 UTC (2026-09-01 12:00 UTC)
Evidence: no answer within 2.0 s
Incident: 1, revision 1

- Unreachable behind it: BON, BON, NS.BON
- People touched: up to 74,700; not known more exactly
- What is left: BON has nothing left

Sent 1 Sep 2026 12:00 UTC (2026-09-01 12:00 UTC) from Lambi at Hub; true as of revision 1.
');
INSERT INTO "text" VALUES(2,'','1 CRITICAL: Cable BON1 down, Dominica, since 12:00 UTC.');
INSERT INTO "text" VALUES(3,'[1] OVER: Cable BON1 down, Dominica','Cable BON1 down
It was down 12:00 to 12:01 UTC, now answers again.

Severity: critical
Where:    Dominica
Since:    1 Sep 2026 12:00 UTC (2026-09-01 12:00 UTC)
Until:    1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC)
Evidence: no answer within 2.0 s
Incident: 1, revision 4

- People touched: up to 74,700; not known more exactly

Sent 1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC) from Lambi at Hub; true as of revision 4.
');
INSERT INTO "text" VALUES(4,'','1 OVER: Cable BON1 down, Dominica, was down 12:00 to 12:01 UTC, now answers again.');
INSERT INTO "text" VALUES(13,'[2] OVER: Vantage HUB cut off','Vantage HUB cut off
It was cut off 12:01 to 12:01 UTC, now answers again; you were not told because this site was cut off.

Severity: critical
Where:    the region
Since:    1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC)
Until:    1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC)
Evidence: references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)
Incident: 2, revision 2

Sent 1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC) from Lambi at Hub; true as of revision 2.
');
INSERT INTO "text" VALUES(14,'','2 OVER: Vantage HUB cut off, was cut off 12:01 to 12:01 UTC, now answers again; you were not told because this site was cut off.');
INSERT INTO "text" VALUES(15,'[3] CRITICAL: Cable BON1 down, Dominica','Cable BON1 down

Severity: critical
Where:    Dominica
Since:    1 Sep 2026 12:01 UTC (2026-09-01 12:01 UTC)
Evidence: no answer within 2.0 s
Incident: 3, revision 1

- Unreachable behind it: BON, BON, NS.BON
- People touched: up to 74,700; not known more exactly
- What is left: BON has nothing left

Sent 1 Sep 2026 12:02 UTC (2026-09-01 12:02 UTC) from Lambi at Hub; true as of revision 1.
');
INSERT INTO "text" VALUES(16,'','3 CRITICAL: Cable BON1 down, Dominica, since 12:01 UTC.');
INSERT INTO "text" VALUES(17,'[4] WARNING: Cable ANT1 down, Antigua and Barbuda','Cable ANT1 down

Severity: warning
Where:    Antigua and Barbuda
Since:    1 Sep 2026 12:02 UTC (2026-09-01 12:02 UTC)
Evidence: no answer within 2.0 s
Incident: 4, revision 1

- What is left: ANT still has ANT2

Sent 1 Sep 2026 12:02 UTC (2026-09-01 12:02 UTC) from Lambi at Hub; true as of revision 1.
');
INSERT INTO "text" VALUES(18,'','4 WARNING: Cable ANT1 down, Antigua and Barbuda, since 12:02 UTC.');
CREATE TABLE turn (
    notification INTEGER PRIMARY KEY REFERENCES notification (id),
    root INTEGER NOT NULL REFERENCES notification (id),
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (why = ''))
) STRICT;
CREATE TABLE watch (
                id INTEGER PRIMARY KEY, started INTEGER NOT NULL, beat INTEGER NOT NULL, ended INTEGER
            ) STRICT;
INSERT INTO "watch" VALUES(1,1788264000000000,1788264190050000,NULL);
CREATE INDEX notification_open ON notification (due_at) WHERE ended_at IS NULL;
CREATE INDEX notification_incident ON notification (incident, contact, channel);
CREATE INDEX attempt_open ON attempt (notification) WHERE status = 'intent';
CREATE INDEX attempt_bundle ON attempt (bundle) WHERE bundle IS NOT NULL;
CREATE INDEX attempt_sent ON attempt (channel, intent_at) WHERE status <> 'failed';
CREATE TRIGGER notification_planned AFTER INSERT ON notification BEGIN INSERT INTO notification_event (notification, at, state, why)
    VALUES (new.id, new.changed_at, new.state, new.why); END;
CREATE TRIGGER notification_moved AFTER UPDATE OF state ON notification WHEN new.ended_at IS NOT NULL BEGIN INSERT INTO notification_event (notification, at, state, why)
    VALUES (new.id, new.changed_at, new.state, new.why); END;
CREATE TRIGGER notification_event_kept BEFORE DELETE ON notification_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER notification_event_fixed BEFORE UPDATE ON notification_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE INDEX escalation_due ON escalation (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX response_incident ON response (incident);
CREATE TRIGGER escalation_began AFTER INSERT ON escalation BEGIN INSERT INTO escalation_event (incident, ladder, at, state, step, loop, why)
    VALUES (new.incident, new.ladder, new.changed_at, new.state, new.step, new.loop, new.why); END;
CREATE TRIGGER escalation_event_kept BEFORE DELETE ON escalation_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER escalation_event_fixed BEFORE UPDATE ON escalation_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER response_kept BEFORE DELETE ON response BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER response_fixed BEFORE UPDATE ON response BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE INDEX turn_open ON turn (due_at) WHERE ended_at IS NULL;
CREATE TRIGGER receipt_kept BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER receipt_fixed BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE INDEX notification_due ON notification (channel, due_at) WHERE state = 'planned';
CREATE INDEX notification_waiting ON notification (contact, channel) WHERE state = 'planned';
CREATE INDEX notification_recent ON notification (contact, channel, changed_at);
CREATE INDEX attempt_repeats ON attempt (repeats) WHERE repeats IS NOT NULL;
CREATE INDEX code_contact ON code (contact, drawn_at);
CREATE INDEX turn_root ON turn (root);
CREATE INDEX link_attempt ON link (attempt);
CREATE INDEX drill_open ON drill (due_at) WHERE ended_at IS NULL;
CREATE TRIGGER drill_kept BEFORE DELETE ON drill BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER drill_fixed BEFORE UPDATE ON drill WHEN old.ended_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER drill_contact_kept BEFORE DELETE ON drill_contact BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER drill_contact_fixed BEFORE UPDATE ON drill_contact BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE UNIQUE INDEX foreign_alert_open ON foreign_alert (fingerprint) WHERE closed_at IS NULL;
CREATE TRIGGER foreign_alert_began AFTER INSERT ON foreign_alert BEGIN INSERT INTO foreign_event (alert, at, revision, state)
    VALUES (new.id, new.changed_at, new.revision, coalesce(nullif(new.closing, ''), 'open')); END;
CREATE TRIGGER foreign_alert_moved AFTER UPDATE ON foreign_alert WHEN new.revision <> old.revision BEGIN INSERT INTO foreign_event (alert, at, revision, state)
    VALUES (new.id, new.changed_at, new.revision, coalesce(nullif(new.closing, ''), 'open')); END;
CREATE TRIGGER foreign_event_kept BEFORE DELETE ON foreign_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER foreign_event_fixed BEFORE UPDATE ON foreign_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER escalation_moved AFTER UPDATE ON escalation WHEN (new.state, new.step, new.loop, new.why) <> (old.state, old.step, old.loop, old.why) BEGIN INSERT INTO escalation_event (incident, ladder, at, state, step, loop, why)
    VALUES (new.incident, new.ladder, new.changed_at, new.state, new.step, new.loop, new.why); END;
CREATE TRIGGER progress_kept BEFORE DELETE ON progress BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER progress_fixed BEFORE UPDATE ON progress BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE INDEX signal_asset ON signal (asset, at);
CREATE INDEX incident_open ON incident (id) WHERE closed IS NULL;
CREATE INDEX incident_began ON incident (began);
CREATE TRIGGER signal_no_UPDATE BEFORE UPDATE ON signal
BEGIN SELECT RAISE(ABORT, 'signal is append-only'); END;
CREATE TRIGGER signal_no_DELETE BEFORE DELETE ON signal
BEGIN SELECT RAISE(ABORT, 'signal is append-only'); END;
CREATE TRIGGER incident_revision_no_UPDATE BEFORE UPDATE ON incident_revision
BEGIN SELECT RAISE(ABORT, 'incident_revision is append-only'); END;
CREATE TRIGGER incident_revision_no_DELETE BEFORE DELETE ON incident_revision
BEGIN SELECT RAISE(ABORT, 'incident_revision is append-only'); END;
CREATE TRIGGER incident_entry_no_UPDATE BEFORE UPDATE ON incident_entry
BEGIN SELECT RAISE(ABORT, 'incident_entry is append-only'); END;
CREATE TRIGGER incident_entry_no_DELETE BEFORE DELETE ON incident_entry
BEGIN SELECT RAISE(ABORT, 'incident_entry is append-only'); END;
CREATE TRIGGER maintenance_no_UPDATE BEFORE UPDATE ON maintenance
BEGIN SELECT RAISE(ABORT, 'maintenance is append-only'); END;
CREATE TRIGGER maintenance_no_DELETE BEFORE DELETE ON maintenance
BEGIN SELECT RAISE(ABORT, 'maintenance is append-only'); END;
CREATE TRIGGER maintenance_end_no_UPDATE BEFORE UPDATE ON maintenance_end
BEGIN SELECT RAISE(ABORT, 'maintenance_end is append-only'); END;
CREATE TRIGGER maintenance_end_no_DELETE BEFORE DELETE ON maintenance_end
BEGIN SELECT RAISE(ABORT, 'maintenance_end is append-only'); END;
CREATE TRIGGER posture_no_UPDATE BEFORE UPDATE ON posture
BEGIN SELECT RAISE(ABORT, 'posture is append-only'); END;
CREATE TRIGGER posture_no_DELETE BEFORE DELETE ON posture
BEGIN SELECT RAISE(ABORT, 'posture is append-only'); END;
CREATE TRIGGER posture_end_no_UPDATE BEFORE UPDATE ON posture_end
BEGIN SELECT RAISE(ABORT, 'posture_end is append-only'); END;
CREATE TRIGGER posture_end_no_DELETE BEFORE DELETE ON posture_end
BEGIN SELECT RAISE(ABORT, 'posture_end is append-only'); END;
COMMIT;
