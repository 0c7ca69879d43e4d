"""What people are told: their inbox, what they want to hear of and where, and how a message looks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import asks, reads

app = typer.Typer(
    help="Messages: your inbox, what you want to hear of, how one looks.", no_args_is_help=True, rich_markup_mode=None
)
preferences = typer.Typer(
    help="What you want to hear of, how often, when.", no_args_is_help=True, rich_markup_mode=None
)
address = typer.Typer(help="Chat robots that reach you.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(preferences, name="preferences")
feed = typer.Typer(help="The secret address of your calendar.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(address, name="address")
app.add_typer(feed, name="feed")

_CHANNEL = Annotated[str, typer.Argument(metavar="CHANNEL", help="dingtalk, feishu, wecom or chat.")]


@app.command("list")
@asks
def list_inbox(
    door: Any,
    all_: Annotated[bool, typer.Option("--all", help="Also what you have read.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
) -> None:
    """List your inbox, the newest first."""
    from cli.behind.notify import print_inbox

    print_inbox(door, is_unread_only=not all_, limit=limit)


@app.command("read")
@asks
def read(
    door: Any,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of messages, as listed.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything in your inbox.")] = False,
) -> None:
    """Mark messages of your inbox as read."""
    from cli.behind.notify import mark

    mark(door, ids or [], is_all=all_)


@app.command("preview")
@reads
def preview(
    door: Any,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Such as payout.paid (docs/messages.md).")],
    html: Annotated[bool, typer.Option("--html", help="The HTML of the mail.")] = False,
) -> None:
    """Show a message as it would be mailed: of the newest of its kind, else with sample facts."""
    from cli.behind.notify import print_preview

    print_preview(door, kind, is_html=html)


@app.command("calendar")
@asks
def calendar(
    door: Any,
    out: Annotated[Path | None, typer.Option("--out", help="File to write in place of stdout.")] = None,
) -> None:
    """Write your open deadlines and the days of your panels as a calendar (iCalendar). It names no amounts."""
    from cli.behind.notify import write_calendar

    write_calendar(door, out)


@feed.command("make")
@asks
def make_feed(door: Any) -> None:
    """Make a secret address for your calendar in place of the one before; it is shown this once."""
    from cli.behind.notify import give_feed

    give_feed(door)


@feed.command("revoke")
@asks
def revoke_feed(door: Any) -> None:
    """Make the address of your calendar void."""
    from cli.behind.notify import end_feed

    end_feed(door)


@preferences.command("list")
@asks
def list_preferences(door: Any) -> None:
    """Show what you have set. What you have not set follows the audience in docs/messages.md."""
    from cli.behind.notify import print_preferences

    print_preferences(door)


@preferences.command("set")
@asks
def set_preferences(
    door: Any,
    channel: Annotated[str, typer.Option("--channel", help="email, dingtalk, feishu, wecom or chat.")] = "email",
    topic: Annotated[str | None, typer.Option("--topic", help="Such as payout; * for all others.")] = None,
    frequency: Annotated[
        str | None, typer.Option("--frequency", help="immediate, daily, weekly or never; digests by mail only.")
    ] = None,
    quiet_hours: Annotated[
        str | None,
        typer.Option("--quiet-hours", metavar="22:00-08:00|off", help="Hours not to be disturbed, on your clock."),
    ] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Where your clock is: Europe/Berlin.")] = None,
) -> None:
    """Say how often you want to hear of a topic on a channel, when not, and where your clock is."""
    from cli.behind.notify import Wishes, put_preferences

    put_preferences(
        door, Wishes(channel=channel, topic=topic, frequency=frequency, quiet=quiet_hours, timezone=timezone)
    )


@address.command("add")
@asks
def add_address(
    door: Any,
    channel: _CHANNEL,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="Address of the robot, a secret; left out, it is asked for.")
    ] = None,
) -> None:
    """Take in the address of a chat robot in place of the one before; it is shown by its last four characters only."""
    from cli.behind.notify import put_address

    put_address(door, channel, url)


@address.command("remove")
@asks
def remove_address(door: Any, channel: _CHANNEL) -> None:
    """Forget the address of a chat robot."""
    from cli.behind.notify import drop_address

    drop_address(door, channel)
