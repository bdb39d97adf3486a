"""What happens at the payment providers, and in the time that goes by."""

from __future__ import annotations

from tests.invariants.acts import Dice, act
from tests.invariants.world import Known, World


class Provider(World):
    """Most of it lasts until it is changed back, and is over once all comes to rest."""

    @act
    def the_provider_declines(self, known: Known, dice: Dice) -> None:
        """A payment is disputed, or no longer is."""
        if known.references:
            self.bank.refuses ^= {dice.pick(list(known.references.values()))}

    @act
    def the_provider_does_not_know_a_payment(self, known: Known, dice: Dice) -> None:
        """As with a key of the wrong account or mode: it can't say anything of it."""
        if known.references:
            self.bank.unknown ^= {dice.pick(list(known.references.values()))}

    @act
    def the_provider_needs_time_to_think(self, _known: Known, dice: Dice) -> None:
        """New refunds are pending, and end well or not."""
        self.bank.thinks = dice.pick(["succeeded", "failed", None])

    @act
    def the_provider_is_troubled(self, _known: Known, dice: Dice) -> None:
        match dice.pick(["slow", "slow", "stumbles", "away"]):
            case "slow":
                self.bank.slow = dice.pick([1, 1, 2])
            case "stumbles":
                self.bank.stumbles.append(dice.pick(["before", "after"]))
            case _:
                self.bank.is_away = not self.bank.is_away

    @act
    def the_provider_gets_on(self, known: Known, dice: Dice) -> None:
        """What is under way arrives, what was pending ends, or what had succeeded comes back."""
        match dice.pick(["lands", "lands", "ends", "ends", "comes back"]):
            case "lands":
                self.bank.land()
            case "ends":
                self.bank.settle()
            case _:
                for _, account in self.accounts(known):
                    if self.bank.send_back(account):
                        known.misled = True
                        self.tell(known.order_id, "a refund that had succeeded comes back")
                        return

    @act
    def a_day_goes_by(self, _known: Known, _dice: Dice) -> None:
        self.a_day()
