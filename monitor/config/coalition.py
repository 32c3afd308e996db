"""The coalition: whose contact somebody is, and whom an organisation or a role stands for."""

from collections.abc import Collection, Iterable

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.rows import OrganisationRow
from monitor.config.telling import ContactRow, RouteRow


class Coalition:
    """Organisations of the inventory with the contacts of the files."""

    def __init__(
        self, contacts: Iterable[ContactRow], organisations: Iterable[OrganisationRow], named: Collection[str]
    ) -> None:
        """``named``: ids of organisations, also of rows with a mistake."""
        self._known = {row.org_id: row for row in organisations}
        self._named = {*self._known, *named}
        self._people: dict[str, list[str]] = {}
        self.agencies: dict[str, str] = {}
        """Contact -> the agency's name."""
        for contact in contacts:
            home = self._known.get(contact.organisation or "")
            self.agencies[contact.name] = contact.agency or (home.name if home else "")
            if home:
                self._people.setdefault(home.org_id, []).append(contact.name)

    def check(self, contacts: Iterable[ContactRow], node: Node) -> list[Problem]:
        """Tell of contacts of no agency, and of organisations that the inventory does not have."""
        problems = []
        for number, row in enumerate(contacts):
            if row.organisation is not None and row.organisation not in self._named:
                problems.append(self._unknown(row.organisation, node.at(number), "organisation"))
            elif row.agency is None and row.organisation is None:
                expected = "agency: NAME, or organisation: an id of organisations.csv"
                problems.append(node.at(number).problem("missing", expected, key="agency"))
        return problems

    def members(self, row: RouteRow, node: Node) -> tuple[list[str], list[Problem]]:
        """Return the contacts that a route's organisations and roles stand for, and what is wrong with these."""
        problems = [
            self._unknown(name, node.at("organisations"), number)
            for number, name in enumerate(row.organisations)
            if name not in self._named
        ]
        roles = {role for known in self._known.values() for role in known.coalition}
        for number, role in enumerate(row.roles):
            if role not in roles:
                near = did_you_mean(role, roles)
                message = f'no organisation is "{role}" in the coalition{near}'
                expected = "a row in inventory/organisations.csv: org_id,coalition"
                problems.append(node.at("roles").problem(message, expected, key=number))
        wanted = [name for name, known in self._known.items() if set(row.roles) & set(known.coalition)]
        return [one for name in (*row.organisations, *wanted) for one in self._people.get(name, ())], problems

    def _unknown(self, name: str, node: Node, key: str | int) -> Problem:
        near = did_you_mean(name, self._named)
        return node.problem(f'"{name}" is no row of organisations.csv{near}', key=key)
