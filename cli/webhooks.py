"""Webhooks: programs elsewhere that are told what happens."""

from typing import Annotated, Any

import typer

from cli.binder import Own, bind
from cli.options import acts, reads, speaks
from cli.output import Column

app = typer.Typer(
    help="Webhooks: programs elsewhere that are told what happens.", no_args_is_help=True, rich_markup_mode=None
)

_COMMANDS = "lifecycle.deliveries.commands"
_URL = Annotated[str, typer.Argument(metavar="URL", help="Webhook: its address, or its id.")]
_ENDPOINT = ("webhook_id",)


@app.command("add")
@acts
def add(
    door: Any,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted to: https, port 443.")],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="KIND", help="Kind (payout.paid), or payout.*; often."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="LOGIN", help="Told when it is disabled. [default: who adds it]")
    ] = None,
) -> None:
    """Tell a program elsewhere what happens. The secret that signs each call is shown once."""
    from cli.behind.webhooks import add_endpoint

    add_endpoint(door, url, tuple(types or ()), owner)


bind(
    app,
    "disable",
    f"{_COMMANDS}:DisableEndpoint",
    "Tell it nothing more.",
    arguments=_ENDPOINT,
)
bind(app, "enable", f"{_COMMANDS}:EnableEndpoint", "Tell it again, from now on.", arguments=_ENDPOINT)
bind(app, "end-rotation", f"{_COMMANDS}:EndRotation", "Forget the old secret.", arguments=_ENDPOINT)
bind(
    app,
    "replay",
    f"{_COMMANDS}:Replay",
    "Send a span of messages, or one, again: also what it missed. At most 1,000.",
    arguments=_ENDPOINT,
    own={
        "since_at": Own(option="--since", help="First instant.", metavar="ISO"),
        "until_at": Own(option="--until", help="Last instant. [default: now]", metavar="ISO"),
        "message_id": Own(option="--message", help="This message only: the id that the receiver saw.", metavar="ID"),
    },
)


@app.command("rotate")
@acts
def rotate(door: Any, url: _URL) -> None:
    """Give it a new secret, shown once. The old one signs too until `end-rotation`."""
    from cli.behind.webhooks import rotate_secret

    rotate_secret(door, url)


@app.command("test")
@acts
def test(door: Any, url: _URL) -> None:
    """Send a signed test event now and say what was answered; exit 1 when it was not taken."""
    from cli.behind.webhooks import send_test

    send_test(door, url)


@app.command("list")
@reads
def list_webhooks(door: Any) -> None:
    """List the webhooks, with what waits for each."""
    from lifecycle.deliveries.queries import endpoints

    columns = (
        Column(key="url", is_wide=True),
        Column(key="status", kind="state"),
        Column(key="types"),
        Column(key="failures"),
        Column(key="waiting"),
        Column(key="is_rotating"),
        Column(key="owner"),
        Column(key="id"),
    )
    door.output.table(columns, door.read(endpoints))


@app.command("listen")
@speaks
def listen(
    output: Any,
    secret: Annotated[list[str] | None, typer.Option("--secret", metavar="whsec_…", help="To check by.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")] = 8099,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many calls.")] = None,
) -> None:
    """Receive webhooks on this machine, check their signatures and print them: to try a webhook out."""
    from cli.behind.listening import listen_here

    listen_here(output, tuple(secret or ()), port=port, count=count)
