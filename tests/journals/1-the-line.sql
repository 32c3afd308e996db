BEGIN TRANSACTION;
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
    UNIQUE (notification, number),
    CHECK ((status = 'intent') = (ended_at IS NULL)),
    CHECK (status NOT IN ('failed', 'unknown') OR error <> '')
) STRICT;
INSERT INTO "attempt" VALUES(1,1,1,'sms',NULL,1,'critical',0,1788264034000000,1788264034000000,'accepted','id-1','0: Accepted','');
INSERT INTO "attempt" VALUES(2,2,1,'sms',NULL,5,'critical',1,1788264066000000,1788264066000000,'accepted','id-2','0: Accepted','');
INSERT INTO "attempt" VALUES(3,3,1,'sms',NULL,1,'critical',0,1788264078000000,1788264078000000,'failed','','','connection refused');
INSERT INTO "attempt" VALUES(4,3,2,'sms',NULL,1,'critical',0,1788264080000000,1788264080000000,'failed','','','connection refused');
INSERT INTO "attempt" VALUES(5,3,3,'sms',NULL,1,'critical',0,1788264084000000,1788264084000000,'failed','','','connection refused');
INSERT INTO "attempt" VALUES(6,3,4,'sms',NULL,1,'critical',0,1788264092000000,1788264092000000,'failed','','','connection refused');
INSERT INTO "attempt" VALUES(7,3,5,'sms',NULL,2,'critical',1,1788264102000000,1788264102000000,'accepted','id-3','0: Accepted','');
INSERT INTO "attempt" VALUES(8,4,1,'sms',NULL,1,'critical',0,1788264124000000,1788264124000000,'accepted','id-4','0: Accepted','');
CREATE TABLE contact (
    name TEXT PRIMARY KEY,
    agency TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "contact" VALUES('desk','CTU');
CREATE TABLE incident (
                id INTEGER PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
                began INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER, revision INTEGER NOT NULL,
                CHECK (closed IS NULL OR closed >= opened)
            ) STRICT;
INSERT INTO "incident" VALUES(1,'cable:bon1','cable',3,1788264022857143,1788264032957143,1788264064100000,5);
INSERT INTO "incident" VALUES(2,'vantage:hub','vantage',3,1788264070000000,1788264076857143,1788264095050000,2);
INSERT INTO "incident" VALUES(3,'cable:bon1','cable',3,1788264112857143,1788264122957143,NULL,2);
CREATE TABLE incident_entry (
                incident INTEGER NOT NULL REFERENCES incident, number INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (incident, number)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_entry" VALUES(1,0,1788264032957143,'opened','Cable BON1 down: no answer within 2.0 s');
INSERT INTO "incident_entry" VALUES(1,1,1788264037814286,'joined','BON is unreachable behind BON1');
INSERT INTO "incident_entry" VALUES(1,2,1788264037814286,'joined','BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(1,3,1788264037814286,'joined','NS.BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(1,4,1788264062957143,'recovered','answers again; waiting for BON, BON, NS.BON');
INSERT INTO "incident_entry" VALUES(1,5,1788264063100000,'left','BON answers again');
INSERT INTO "incident_entry" VALUES(1,6,1788264063100000,'left','NS.BON answers again');
INSERT INTO "incident_entry" VALUES(1,7,1788264064100000,'left','BON answers again');
INSERT INTO "incident_entry" VALUES(1,8,1788264064100000,'closed','BON1 answers again');
INSERT INTO "incident_entry" VALUES(2,0,1788264076857143,'opened','Vantage HUB cut off: references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)');
INSERT INTO "incident_entry" VALUES(2,1,1788264095050000,'closed','HUB answers again');
INSERT INTO "incident_entry" VALUES(3,0,1788264122957143,'opened','Cable BON1 down: no answer within 2.0 s');
INSERT INTO "incident_entry" VALUES(3,1,1788264127814286,'joined','BON is unreachable behind BON1');
INSERT INTO "incident_entry" VALUES(3,2,1788264127814286,'joined','BON is unreachable behind BON');
INSERT INTO "incident_entry" VALUES(3,3,1788264127814286,'joined','NS.BON is unreachable behind BON');
CREATE TABLE incident_revision (
                incident INTEGER NOT NULL REFERENCES incident, revision INTEGER NOT NULL, at INTEGER NOT NULL,
                what TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (incident, revision)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_revision" VALUES(1,1,1788264032957143,'opened','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264032957143,"children":[],"closed":null,"closing":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264032957143,"phase":"down","reason":"no answer within 2.0 s","revision":1,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,2,1788264037814286,'updated','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264037814286,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264032957143,"phase":"down","reason":"no answer within 2.0 s","revision":2,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,3,1788264062957143,'updated','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264062957143,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264032957143,"phase":"down","reason":"no answer within 2.0 s","revision":3,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,4,1788264063100000,'updated','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264063100000,"children":["router:bon"],"closed":null,"closing":"","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264032957143,"phase":"down","reason":"no answer within 2.0 s","revision":4,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(1,5,1788264064100000,'closed','{"asset":"cable:bon1","began":1788264022857143,"changed":1788264064100000,"children":[],"closed":1788264064100000,"closing":"answers again","id":"1","kind":"cable","left":"BON has nothing left","opened":1788264032957143,"phase":"down","reason":"no answer within 2.0 s","revision":5,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(2,1,1788264076857143,'opened','{"asset":"vantage:hub","began":1788264070000000,"changed":1788264076857143,"children":[],"closed":null,"closing":"","id":"2","kind":"vantage","left":"","opened":1788264076857143,"phase":"down","reason":"references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)","revision":1,"runbook":"book@0","severity":"critical","territories":[],"title":"Vantage HUB cut off"}');
INSERT INTO "incident_revision" VALUES(2,2,1788264095050000,'closed','{"asset":"vantage:hub","began":1788264070000000,"changed":1788264095050000,"children":[],"closed":1788264095050000,"closing":"answers again","id":"2","kind":"vantage","left":"","opened":1788264076857143,"phase":"down","reason":"references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)","revision":2,"runbook":"book@0","severity":"critical","territories":[],"title":"Vantage HUB cut off"}');
INSERT INTO "incident_revision" VALUES(3,1,1788264122957143,'opened','{"asset":"cable:bon1","began":1788264112857143,"changed":1788264122957143,"children":[],"closed":null,"closing":"","id":"3","kind":"cable","left":"BON has nothing left","opened":1788264122957143,"phase":"down","reason":"no answer within 2.0 s","revision":1,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
INSERT INTO "incident_revision" VALUES(3,2,1788264127814286,'updated','{"asset":"cable:bon1","began":1788264112857143,"changed":1788264127814286,"children":["router:bon","cctld:bon","nameserver:ns.bon"],"closed":null,"closing":"","id":"3","kind":"cable","left":"BON has nothing left","opened":1788264122957143,"phase":"down","reason":"no answer within 2.0 s","revision":2,"runbook":"book@0","severity":"critical","territories":["DM"],"title":"Cable BON1 down"}');
CREATE TABLE incident_territory (
                incident INTEGER NOT NULL REFERENCES incident, territory TEXT NOT NULL,
                PRIMARY KEY (territory, incident)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "incident_territory" VALUES(1,'DM');
INSERT INTO "incident_territory" VALUES(3,'DM');
CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    incident TEXT NOT NULL,
    contact TEXT NOT NULL REFERENCES contact (name),
    channel TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('first', 'worse', 'repeat', 'resolved', 'test')),
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'major', 'critical')),
    revision INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL CHECK (deadline_at > planned_at),
    state TEXT NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'ready', 'accepted', 'superseded', 'expired', 'refused')),
    changed_at INTEGER NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('planned', 'ready')) = (ended_at IS NULL)),
    CHECK (ended_at IS NULL OR ended_at = changed_at),
    CHECK (state NOT IN ('superseded', 'expired', 'refused') OR why <> '')
) STRICT;
INSERT INTO "notification" VALUES(1,'1','desk','sms','first','critical',1,1788264032957143,1788264032957143,1788350432957143,'accepted',1788264034000000,1788264034000000,'');
INSERT INTO "notification" VALUES(2,'1','desk','sms','resolved','critical',5,1788264064100000,1788264064100000,1788350464100000,'accepted',1788264066000000,1788264066000000,'');
INSERT INTO "notification" VALUES(3,'2','desk','sms','first','critical',1,1788264076857143,1788264100928769,1788350476857143,'accepted',1788264102000000,1788264102000000,'');
INSERT INTO "notification" VALUES(4,'3','desk','sms','first','critical',1,1788264122957143,1788264122957143,1788350522957143,'accepted',1788264124000000,1788264124000000,'');
CREATE TABLE notification_event (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notification (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
INSERT INTO "notification_event" VALUES(1,1,1788264032957143,'planned','');
INSERT INTO "notification_event" VALUES(2,1,1788264034000000,'accepted','');
INSERT INTO "notification_event" VALUES(3,2,1788264064100000,'planned','');
INSERT INTO "notification_event" VALUES(4,2,1788264066000000,'accepted','');
INSERT INTO "notification_event" VALUES(5,3,1788264076857143,'planned','');
INSERT INTO "notification_event" VALUES(6,3,1788264102000000,'accepted','');
INSERT INTO "notification_event" VALUES(7,4,1788264122957143,'planned','');
INSERT INTO "notification_event" VALUES(8,4,1788264124000000,'accepted','');
CREATE TABLE pending (
                asset TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('waiting', 'recovered')),
                since INTEGER NOT NULL, PRIMARY KEY (asset, what)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "pending" VALUES('vantage:hub','recovered',1788264095050000);
CREATE TABLE schema_version (
    owner TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, n)
) STRICT, WITHOUT ROWID;
INSERT INTO "schema_version" VALUES('alerting',1,'notifications and attempts');
INSERT INTO "schema_version" VALUES('monitor',1,'the line');
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
INSERT INTO "signal" VALUES(10,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','down',1788264035764286,1788264025714286,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(11,'router:bon/4/icmp/','','router:bon','up','down',1788264037814286,1788264027714286,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(12,'cable:bon1/4/icmp/','','cable:bon1','down','up',1788264062957143,1788264062857143,'');
INSERT INTO "signal" VALUES(13,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','down','up',1788264063100000,1788264063000000,'');
INSERT INTO "signal" VALUES(14,'router:bon/4/icmp/','','router:bon','down','up',1788264064100000,1788264064000000,'');
INSERT INTO "signal" VALUES(15,'cable:ant2/4/icmp/','','cable:ant2','up','unknown',1788264075428571,1788264071428571,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(16,'cable:bon1/4/icmp/','','cable:bon1','up','unknown',1788264075428571,1788264072857143,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(17,'vantage:hub/references/4','','vantage:hub','up','down',1788264076857143,1788264070000000,'references in 0 of 5 networks answer over IPv4 (no answer within 2.0 s)');
INSERT INTO "signal" VALUES(18,'nameserver:ns.ant/4/icmp/','','nameserver:ns.ant','up','unknown',1788264076857143,1788264074285714,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(19,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','unknown',1788264077857143,1788264075714286,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(20,'router:ant/4/icmp/','','router:ant','up','unknown',1788264079285714,1788264076285714,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(21,'router:bon/4/icmp/','','router:bon','up','unknown',1788264080428571,1788264077714286,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(22,'cable:ant1/4/icmp/','','cable:ant1','up','unknown',1788264080428571,1788264078285714,'cannot be known: this vantage does not see the world over IPv4');
INSERT INTO "signal" VALUES(23,'vantage:hub/references/4','','vantage:hub','down','up',1788264095050000,1788264095000000,'');
INSERT INTO "signal" VALUES(24,'cable:ant2/4/icmp/','','cable:ant2','unknown','up',1788264095478571,1788264095428571,'');
INSERT INTO "signal" VALUES(25,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','unknown','up',1788264095764286,1788264095714286,'');
INSERT INTO "signal" VALUES(26,'router:bon/4/icmp/','','router:bon','unknown','up',1788264095764286,1788264095714286,'');
INSERT INTO "signal" VALUES(27,'router:ant/4/icmp/','','router:ant','unknown','up',1788264097192857,1788264097142857,'');
INSERT INTO "signal" VALUES(28,'nameserver:ns.ant/4/icmp/','','nameserver:ns.ant','unknown','up',1788264100385714,1788264100335714,'');
INSERT INTO "signal" VALUES(29,'cable:ant1/4/icmp/','','cable:ant1','unknown','up',1788264100385714,1788264100335714,'');
INSERT INTO "signal" VALUES(30,'cable:bon1/4/icmp/','','cable:bon1','unknown','up',1788264100957143,1788264100907143,'');
INSERT INTO "signal" VALUES(31,'cable:bon1/4/icmp/','','cable:bon1','up','down',1788264122957143,1788264112857143,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(32,'nameserver:ns.bon/4/icmp/','','nameserver:ns.bon','up','down',1788264125764286,1788264115714286,'no answer within 2.0 s');
INSERT INTO "signal" VALUES(33,'router:bon/4/icmp/','','router:bon','up','down',1788264127814286,1788264117714286,'no answer within 2.0 s');
CREATE TABLE state (
                check_id TEXT NOT NULL, part TEXT NOT NULL, phase TEXT NOT NULL, since INTEGER NOT NULL,
                reason TEXT NOT NULL, settled TEXT NOT NULL, settled_since INTEGER NOT NULL, before TEXT NOT NULL,
                seen INTEGER NOT NULL, run INTEGER NOT NULL, run_since INTEGER, leaning TEXT NOT NULL,
                refused INTEGER NOT NULL, PRIMARY KEY (check_id, part)
            ) STRICT, WITHOUT ROWID;
INSERT INTO "state" VALUES('cable:ant1/4/icmp/','','up',1788264100335714,'','up',1788264100335714,'up',1788264100335714,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('cable:ant2/4/icmp/','','up',1788264095428571,'','up',1788264095428571,'up',1788264095428571,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('cable:bon1/4/icmp/','','down',1788264112857143,'no answer within 2.0 s','down',1788264112857143,'down',1788264120907143,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('nameserver:ns.ant/4/icmp/','','up',1788264100335714,'','up',1788264100335714,'up',1788264100335714,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('nameserver:ns.bon/4/icmp/','','down',1788264115714286,'no answer within 2.0 s','down',1788264115714286,'down',1788264123764286,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('router:ant/4/icmp/','','up',1788264097142857,'','up',1788264097142857,'up',1788264097142857,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('router:bon/4/icmp/','','down',1788264117714286,'no answer within 2.0 s','down',1788264117714286,'down',1788264125764286,0,NULL,'unknown',0);
INSERT INTO "state" VALUES('vantage:hub/references/4','','up',1788264095000000,'','up',1788264095000000,'up',1788264095000000,0,NULL,'unknown',0);
CREATE TABLE text (
    attempt INTEGER PRIMARY KEY REFERENCES attempt (id),
    subject TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "text" VALUES(1,'','1 CRITICAL: Cable BON1 down, Dominica, since 12:00 UTC. Desk +1 868 555 0100');
INSERT INTO "text" VALUES(2,'','1 OVER: Cable BON1 down, Dominica, was down 12:00 to 12:01 UTC, now answers again. Desk +1 868 555 0100');
INSERT INTO "text" VALUES(7,'','2 OVER: Vantage HUB cut off, was cut off 12:01 to 12:01 UTC, now answers again; you were not told because this site was cut off. Desk +1 868 555 0100');
INSERT INTO "text" VALUES(8,'','3 CRITICAL: Cable BON1 down, Dominica, since 12:01 UTC. Desk +1 868 555 0100');
CREATE TABLE watch (
                id INTEGER PRIMARY KEY, started INTEGER NOT NULL, beat INTEGER NOT NULL, ended INTEGER
            ) STRICT;
INSERT INTO "watch" VALUES(1,1788264000000000,1788264198000000,NULL);
CREATE INDEX notification_open ON notification (due_at) WHERE ended_at IS NULL;
CREATE INDEX notification_incident ON notification (incident, contact, channel);
CREATE INDEX attempt_open ON attempt (notification) WHERE status = 'intent';
CREATE TRIGGER notification_planned AFTER INSERT ON notification BEGIN INSERT INTO notification_event (notification, at, state, why)
    VALUES (new.id, new.changed_at, new.state, new.why); END;
CREATE TRIGGER notification_moved AFTER UPDATE OF state ON notification WHEN new.ended_at IS NOT NULL BEGIN INSERT INTO notification_event (notification, at, state, why)
    VALUES (new.id, new.changed_at, new.state, new.why); END;
CREATE TRIGGER event_kept BEFORE DELETE ON notification_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER event_fixed BEFORE UPDATE ON notification_event BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
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
COMMIT;
