"""The live account: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.account.presenter import AccountPresenter
from kalshi_nb._widgets.account.text import account_html, account_text
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import PRIVATE, Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.account.picture import AccountPicture
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["AccountScene", "AccountView", "AccountWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    "rows": Number(1, 200, 50, True, "an account shows so many rows of each section, from", 50),
    **PRIVATE,
}
"""What it takes beside the options of every view."""


class AccountScene:
    """An account with the options that it is shown with.

    Parameters
    ----------
    presenter : AccountPresenter
        Makes its pictures.
    options : mapping
        Every option by name, checked.
    """

    kind = "account"

    def __init__(self, presenter: AccountPresenter, options: Mapping[str, Any]) -> None:
        self._presenter = presenter
        self.options = options

    @property
    def title(self) -> str:
        """The name of the frame that is shown."""
        return self._presenter.title

    @property
    def is_private(self) -> bool:
        """Whether all of it is to be masked where it would be stored."""
        return not self.options["private"]

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    def take(self) -> AccountPicture:
        """Return the account of now, as anybody may see it."""
        picture = self.complete()
        return self.masked(picture) if self.is_private else picture

    def complete(self) -> AccountPicture:
        """Return the account of now with what is one's own, as far as it is asked for."""
        picture = self._presenter.picture(self.options["rows"])
        return picture.hidden() if self.options["mask"] else picture

    def masked(self, picture: AccountPicture) -> AccountPicture:
        """Return nothing but which sections there are."""
        return picture.masked()

    def body(self, picture: AccountPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: AccountPicture, picture: AccountPicture) -> None:
        """Return None: an account always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to it is done in the browser."""

    def text(self, picture: AccountPicture) -> str:
        """Return it as plain text."""
        return account_text(picture, unit=self.options["unit"])

    def html(self, picture: AccountPicture, note: str = "") -> str:
        """Return it as tables that stand still."""
        return account_html(picture, unit=self.options["unit"], note=note)


class AccountWidget(ViewWidget):
    """An account in the browser. Made and fed by `AccountView`."""

    _esm = bundle("account").text


class AccountView(LiveView):
    """A live view of one's own positions, orders and fills."""

    widget_class = AccountWidget

    @staticmethod
    def of(source: FrameSource, given: Mapping[str, Any]) -> AccountScene:
        """Return the scene of an account with the options that it was given; the errors are those of `resolved`."""
        options = resolved("An account", OPTIONS, given, KINDS[AccountScene.kind].hz)
        return AccountScene(AccountPresenter(source), options)
