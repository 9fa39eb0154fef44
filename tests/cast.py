"""The people of the tests, always the same: what each may do is known from the name."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb.models import Service
from itsm.accounts.actions import create_team
from itsm.accounts.models import Organisation, Team, User
from itsm.accounts.roles import Role
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import Category, RoutingRule

PASSWORD = "correct horse battery staple"


@dataclass
class Cast:
    """Rita and Rolf ask for help (of different organisations, Rosa of Rita's); Anna and Ben are agents of the network
    team that Lena leads; Carl is an agent of the desktop team; Sven manages service levels; Olaf audits; Ada rules."""

    rita: User
    rosa: User
    rolf: User
    anna: User
    ben: User
    carl: User
    lena: User
    sven: User
    olaf: User
    imke: User
    ada: User
    network: Team
    desktop: Team
    vpn: Service
    mail: Service
    hardware: Category
    printers: Category

    @property
    def everybody(self) -> list[User]:
        """All people, in the order of their rights."""
        return [
            self.rita,
            self.rosa,
            self.rolf,
            self.anna,
            self.ben,
            self.carl,
            self.lena,
            self.sven,
            self.olaf,
            self.ada,
        ]


def make_cast() -> Cast:
    """Create the cast in the database and return it."""
    north = Organisation.objects.create(name="Northwind")
    south = Organisation.objects.create(name="Southwind")

    def person(name: str, *roles: Role, organisation: Organisation = north) -> User:
        return User.objects.create_user(
            f"{name.lower()}@example.com",
            PASSWORD,
            display_name=f"{name} Example",
            roles=[Role.REQUESTER, *roles],
            organisation=organisation,
        )

    anna, ben, carl = person("Anna", Role.AGENT), person("Ben", Role.AGENT), person("Carl", Role.AGENT)
    lena = person("Lena", Role.AGENT, Role.TEAM_LEAD)
    network = create_team("Network", lead=lena, members=(anna, ben, lena))
    desktop = create_team("Desktop", members=(carl,))
    hardware = Category.objects.create(name="Hardware", path="Hardware", team=desktop)
    vpn = Service.objects.create(name="Remote access (VPN)", key="vpn", support_team=network)
    RoutingRule.objects.create(
        name="VPN words", condition={"field": "title", "op": "contains", "value": "vpn"}, team=network, order=10
    )
    return Cast(
        rita=person("Rita"),
        rosa=person("Rosa"),
        rolf=person("Rolf", organisation=south),
        anna=anna,
        ben=ben,
        carl=carl,
        lena=lena,
        sven=person("Sven", Role.SERVICE_LEVEL_MANAGER),
        olaf=person("Olaf", Role.AUDITOR),
        imke=person("Imke", Role.IMPORTER),
        ada=person("Ada", Role.ADMINISTRATOR),
        network=network,
        desktop=desktop,
        vpn=vpn,
        mail=Service.objects.create(name="E-mail", key="mail", support_team=desktop),
        hardware=hardware,
        printers=Category.objects.create(name="Printers", path="Hardware / Printers", parent=hardware),
    )


def as_(user: User, channel: Channel = Channel.DESK) -> Actor:
    """Return the user as an actor."""
    return Actor(user, channel)
