import pytest

from core.errors import UsageError
from pipeline.batch.options import BatchOptions
from pipeline.config import PipelineConfig
from pipeline.live.options import LiveOptions


@pytest.mark.parametrize(
    "stream",
    [
        "udp://host",
        "udp://host:0",
        "udp://host:70000",
        "tcp://host:1",
        "vmc://host",
        "poses.json",
        "",
    ],
)
def test_a_wrong_stream_is_refused(stream: str) -> None:
    known = "-, udp://HOST:PORT or vmc://HOST:PORT"
    with pytest.raises(UsageError, match=f"`stream` must be {known}, got {stream}$"):
        LiveOptions(stream=stream)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_wrong_port_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match=f"`serve` must be a port, 0 to 65535, got {port}$"):
        LiveOptions(serve=port)


@pytest.mark.parametrize("stream", ["-", "udp://host:9", "udp://[::1]:65535"])
def test_streams_and_ports(stream: str) -> None:
    assert LiveOptions(serve=0, stream=stream).stream == stream


def test_flags_that_do_not_go_with_their_source_are_refused() -> None:
    for flag, config in (
        ("`serve`", PipelineConfig.from_flat(serve=0)),
        ("`stream`", PipelineConfig.from_flat(stream="-")),
    ):
        config.require_live()
        with pytest.raises(UsageError, match=f"{flag} is for live sources"):
            config.require_file()
    refused: list[tuple[str, PipelineConfig | BatchOptions]] = [
        ("`start`", PipelineConfig.from_flat(start=1.0)),
        ("`camera`", PipelineConfig.from_flat(camera="moving")),
        ("`person_id`", PipelineConfig.from_flat(person_id=(2,))),
        ("`people_order`", PipelineConfig.from_flat(people_order="leftmost")),
        ("`overwrite`", PipelineConfig(overwrite=True)),
        ("`fps`", PipelineConfig.from_flat(fps=25.0)),
        ("`dry_run`", BatchOptions(dry_run=True)),
        ("`workers`", BatchOptions(workers=2)),
    ]
    for flag, options in refused:
        with pytest.raises(UsageError, match=f"{flag}.* is for files"):
            options.require_live()
    BatchOptions().require_live()
