"""Where an export goes: OTLP over HTTP, as protobuf (https://opentelemetry.io/docs/specs/otlp/#otlphttp).

OpenTelemetry's encoders make the bytes; the request is a plain one of the standard library. Its own exporters were tried and
dropped: each request draws from `random`, which a notebook's author may have seeded, and what goes wrong is printed by their
loggers into whichever cell runs, every time. Headers are credentials: they are never shown, follow no redirect, and travel
unencrypted only to this machine unless told otherwise. What the environment says (`OTEL_EXPORTER_OTLP_…`) counts as for those
exporters, but for one thing: its headers go only to its own endpoint.
"""

from __future__ import annotations

import gzip
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.metrics.export import Metric, MetricsData, ResourceMetrics, ScopeMetrics
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mcp_workbench.exploring.exports.otlp_attributes import bare_uri
from mcp_workbench.exploring.exports.prompt_http import PromptHTTP, PromptHTTPS
from mcp_workbench.secret import Secret
from mcp_workbench.transports.outgoing import is_loopback, outgoing_headers
from mcp_workbench.wording import shown

DEFAULT_ENDPOINT = "http://localhost:4318"
LONGEST_PAUSE_S = 60.0
"""A collector may ask to be left alone for so long."""

_AGAIN = frozenset((429, 502, 503, 504))
"""Statuses after which the same request may be sent again (OTLP, "Retryable Response Codes")."""
_MAX_ANSWER = 64 * 1024
_MOST_SAID = 200
"""Characters told of what a collector says."""
_LEAST_SECRET = 4
"""Characters of a part of a header that is looked for there."""
_NOT_AN_ENDPOINT = (
    "endpoint is the address where a collector takes OTLP over HTTP, as http://localhost:4318, without the path of a signal"
    " and without credentials, which belong in headers="
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    reason: str = ""
    """Why it was not taken; empty: it was."""
    again: bool = False
    """Whether it may be sent again."""
    pause_s: float = 0.0
    """For how long the collector wants to be left alone."""
    rejected: int = 0
    """How many spans or points of a request that was taken were not."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one signal goes."""

    url: Secret
    """An address from the environment may hold a key."""
    headers: Mapping[str, Secret]
    compressed: bool = False
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """For people: no credentials, no query."""
        return bare_uri(self.url.reveal())


def target_of(signal: str, endpoint: Secret | None, headers: Mapping[str, Secret], *, allow_remote: bool) -> Target:
    """Read where a signal shall go.

    Args:
        signal: `traces` or `metrics`.
        endpoint: `http://localhost:4318`; None: as the environment says.
        headers: What is sent along.
        allow_remote: Send them unencrypted to other machines.

    Raises:
        ValueError: It is no such address, or something could not be sent as it is, or would leave this machine unprotected.
    """
    url = Secret(f"{_checked(endpoint).reveal().rstrip('/')}/v1/{signal}") if endpoint is not None else _url_from_environment(signal)
    secure, host, place = urlsplit(url.reveal()).scheme == "https", urlsplit(url.reveal()).hostname or "", bare_uri(url.reveal())
    if headers and not (secure or is_loopback(host) or allow_remote):  # a key has many names here
        raise ValueError(f"headers would travel unencrypted to {place}: use https, or allow_remote=True if you know the way there is safe")
    of_environment = {} if endpoint is not None else _headers_from_environment(signal)
    sent = outgoing_headers(None, of_environment | dict(headers), host=host, place=place, protected=True, instead="https")
    compressed = _setting(signal, "COMPRESSION").reveal() == "gzip"
    return Target(url, sent, compressed, _tls(signal) if secure else None)


def resource_of(service: str, instance: str) -> Resource:
    """Who tells: what the environment says (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`), and the name of this workbench.

    Args:
        service: The name, where the environment has none.
        instance: Tells several notebooks of one name apart, whose counts would be mixed up else.
    """
    ours = Resource({SERVICE_NAME: service, "service.instance.id": instance})
    return Resource.create().merge(ours).merge(OTELResourceDetector().detect())


class Sending:
    """Sends spans and durations. One thread.

    Args:
        traces: Where spans go.
        metrics: Where durations go.
        timeout_s: Longest wait for the collector, each time.
    """

    def __init__(self, traces: Target, metrics: Target, timeout_s: float) -> None:
        self._traces, self._metrics, self._timeout_s = traces, metrics, timeout_s
        self.place = traces.place.removesuffix("/v1/traces")
        """For people."""

    def send_spans(self, body: bytes) -> Answer:
        """Send one batch, as OpenTelemetry encodes it, and wait for the answer."""
        return self._post(self._traces, body, _rejected_spans)

    def send_metrics(self, resource: Resource, scope: InstrumentationScope, metrics: Sequence[Metric]) -> Answer:
        """Send all that was counted, and wait for the answer."""
        of_scope = ScopeMetrics(scope=scope, metrics=metrics, schema_url="")
        data = MetricsData([ResourceMetrics(resource=resource, scope_metrics=[of_scope], schema_url="")])
        return self._post(self._metrics, encode_metrics(data).SerializeToString(), _rejected_points)

    def _post(self, target: Target, body: bytes, rejected: Callable[[bytes], tuple[int, str]]) -> Answer:
        request = urllib.request.Request(target.url.reveal(), gzip.compress(body) if target.compressed else body)  # noqa: S310  # checked
        request.add_header("Content-Type", "application/x-protobuf")
        if target.compressed:
            request.add_header("Content-Encoding", "gzip")
        for name, value in target.headers.items():
            request.add_header(name, value.reveal())
        opener = urllib.request.build_opener(_NoRedirect, PromptHTTP, PromptHTTPS(target.tls))
        try:
            with opener.open(request, timeout=self._timeout_s) as response:
                count, message = rejected(response.read(_MAX_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                reason = _said(f"HTTP {error.code} {error.reason}", target)
                return Answer(reason, error.code in _AGAIN, _pause_s(error.headers))
        except (OSError, HTTPException) as error:
            return Answer(_said(_cause(error), target), again=True)
        return Answer() if count <= 0 else Answer(_said(message, target) or "rejected", rejected=count)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and take the headers to another place."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str) -> None:
        """Nowhere."""


def _said(text: str, target: Target) -> str:
    """What a collector says, for people: on one line, and without what it was sent as a credential."""
    for value in (each.reveal() for each in target.headers.values()):
        for part in (value, *value.split()):  # a scheme stands before some: Bearer, Basic
            text = text.replace(part, "…") if len(part) >= _LEAST_SECRET else text
    return shown(text, _MOST_SAID)


def _rejected_spans(body: bytes) -> tuple[int, str]:
    answer = _read(ExportTraceServiceResponse, body).partial_success
    return answer.rejected_spans, answer.error_message


def _rejected_points(body: bytes) -> tuple[int, str]:
    answer = _read(ExportMetricsServiceResponse, body).partial_success
    return answer.rejected_data_points, answer.error_message


def _read(kind: Any, body: bytes) -> Any:
    """The answer, or an empty one where it is none: with status 200 the request was taken."""
    try:
        return kind.FromString(body)
    except DecodeError:
        return kind()


def _pause_s(headers: Message) -> float:
    """`Retry-After` in seconds; a date there is as good as none."""
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def _cause(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    words = inner if isinstance(inner, str) else inner.strerror if isinstance(inner, OSError) else None
    return words or type(inner).__name__


def _checked(endpoint: Secret) -> Secret:
    """An address of `export_otel()` itself."""
    if not _is_bare(endpoint):
        raise ValueError(_NOT_AN_ENDPOINT)
    return endpoint


def _is_bare(address: Secret) -> bool:
    """Of http or https, and without credentials, query or fragment. A function of its own: a traceback must not show the parts."""
    try:
        parts = urlsplit(address.reveal())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return usable and not ("@" in parts.netloc or parts.query or parts.fragment)


# --- what the environment says -------------------------------------------------------------------------------------


def _setting(signal: str, name: str) -> Secret:
    """Of a signal, else of all; empty where there is none."""
    variables = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", f"OTEL_EXPORTER_OTLP_{name}"
    return Secret(os.environ.get(variables[0]) or os.environ.get(variables[1]) or "")


def _url_from_environment(signal: str) -> Secret:
    own = Secret(os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT") or "")
    base = Secret(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT)
    url = own if own.reveal() else Secret(f"{base.reveal().rstrip('/')}/v1/{signal}")
    if urlsplit(url.reveal()).scheme not in ("http", "https"):
        raise ValueError("OTEL_EXPORTER_OTLP_ENDPOINT is no address of http or https, and only OTLP over HTTP is spoken here")
    return url


def _headers_from_environment(signal: str) -> dict[str, Secret]:
    """`name=value,name=value`, percent-encoded. OpenTelemetry's own reader logs what it cannot read, key and all."""
    pairs = [pair.partition("=") for pair in _setting(signal, "HEADERS").reveal().split(",")]
    return {unquote(name.strip()): Secret(unquote(value.strip())) for name, separator, value in pairs if separator and name.strip()}


def _tls(signal: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=_setting(signal, "CERTIFICATE").reveal() or None)
    if certificate := _setting(signal, "CLIENT_CERTIFICATE").reveal():
        context.load_cert_chain(certificate, _setting(signal, "CLIENT_KEY").reveal() or None)
    return context
