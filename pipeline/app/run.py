"""`--app`: a page on 127.0.0.1 from which clips are worked on, looked at and corrected."""

import secrets
import socket
from pathlib import Path

from core.errors import OutputError, UsageError, how_to_install
from pipeline.app.options import AppOptions
from pipeline.results.locks import locked
from pipeline.runtime.logs import LogOptions

_HOST = "127.0.0.1"


def run_app(options: AppOptions, output: Path, log: LogOptions) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        options: Port and bounds.
        output: The clips go to `app` inside it.
        log: How worker processes log.

    Raises:
        UsageError: The libraries of the extra `app` are missing.
        OutputError: The port or the folder is taken, or cannot be written.
    """
    try:
        import uvicorn
        from starlette.applications import Starlette as _  # noqa: F401
    except ImportError as error:
        raise UsageError(f"`app` needs Starlette and uvicorn: {how_to_install('app')}") from error
    from pipeline.app.runner import Runner
    from pipeline.app.server import make_server
    from pipeline.app.store import Store

    folder = output / "app"
    with locked(folder) as is_ours:
        if not is_ours:
            raise OutputError(f"{folder}: another page is at work there; give another --output")
        try:
            listening = socket.create_server((_HOST, options.app_port))
        except OSError as error:
            text = f"--app-port {options.app_port}: {error.strerror}; give another one"
            raise OutputError(text) from error
        try:
            store = Store(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot write there ({error.strerror})") from error
        port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        served = make_server(store, token, port, options.upload_bytes)
        config = uvicorn.Config(
            served, log_level="error", access_log=False, server_header=False, lifespan="off"
        )
        runner = Runner(store, log)
        runner.start()
        try:
            print(f"Open http://{_HOST}:{port}/?token={token} (Ctrl-C ends it)", flush=True)
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # which the server raises when it has ended
            pass
        finally:
            runner.stop()
            listening.close()
