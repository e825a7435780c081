"""The text of `df_changes`: what is new since a version, one line each, and how to read just that."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_workbench.events import ChangeKind
from mcp_workbench.live.dataframes.news import News
from mcp_workbench.live.dataframes.objects import clean
from mcp_workbench.live.dataframes.snapshots import Snapshot
from mcp_workbench.serving.builtin.fitting import call_text, counted, facts
from mcp_workbench.serving.builtin.lenient import LONGEST_WAIT_S
from mcp_workbench.serving.job import elapsed

_LINE_CHARS = 200


@dataclass(frozen=True, slots=True)
class ChangesReport:
    """What a call of `df_changes` found."""

    news: News
    now: float
    """Seconds since 1970."""
    waited_s: float
    """How long it was to wait."""

    def write(self, max_chars: int, took: str) -> str:
        """As many versions as there is room for, the latest ones."""
        news = self.news
        lines = [self._facts(took), *self._versions()]
        if news.together is not None and len(news.newer) + news.forgotten > 1:
            lines.append(f"Together, v{news.since} to v{news.latest.version}: {clean(news.together.summary, _LINE_CHARS)}")
        if news.lost:
            lines.append(
                f"Not followed any more: {clean(news.lost, _LINE_CHARS)}. No new version will come until it holds a DataFrame again."
            )
        end = self._next()
        while len(lines) > 1 and sum(len(line) + 1 for line in lines) + len(end) > max_chars:
            del lines[1]
        return "\n".join([*lines, end])

    def _facts(self, took: str) -> str:
        news = self.news
        count = len(news.newer) + news.forgotten
        if not count:
            waited = f" within {self.waited_s:.0f} s" if self.waited_s and not news.lost else ""
            return facts(f"Nothing new{waited}", f"{news.latest.label} since {self._ago(news.latest)}", took)
        return facts(f"{counted(count, 'new version')} since v{news.since}", news.latest.label, took)

    def _versions(self) -> list[str]:
        forgotten = [f"{counted(self.news.forgotten, 'version')} after v{self.news.since}: no longer kept"] if self.news.forgotten else []
        return forgotten + [f"v{each.version}, {self._ago(each)}: {clean(each.summary, _LINE_CHARS)}" for each in self.news.newer]

    def _ago(self, snapshot: Snapshot) -> str:
        return f"{elapsed(max(self.now - snapshot.taken_at, 0))} ago"

    def _next(self) -> str:
        news, name, version = self.news, self.news.latest.name, self.news.latest.version
        wait = call_text("df_changes", name, since=version, wait_s=int(LONGEST_WAIT_S))
        if news.lost:
            return f"Next: {call_text('df_read', name, version=version)} reads the last version."
        if not news.newer:
            return f"Next: {wait} waits for the next change."
        if news.together is not None and news.together.kind is ChangeKind.APPEND:
            new_rows = call_text("df_read", name, offset=news.rows_before, version=version)
            return f"Next: {new_rows} for the new rows; {wait} waits for more."
        return f"Next: {call_text('df_read', name, version=version)} reads it; {wait} waits for the next change."
