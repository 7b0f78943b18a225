"""Events of Google Analytics 4 as BigQuery exports them, in JSON or as a table.

They need no mapping; ``recsys.ingest.sources.events`` reads them.
"""

from training.init.presets.preset import Headers, Preset


def events(headers: Headers) -> Preset | None:
    """Recognise events: JSON with a name, or a table with a name, a time and a device."""
    preset = Preset("Google Analytics 4 events", "ga4_events")
    if headers.export.form not in ("csv", "parquet"):
        return preset if headers.has("event_name") else None
    if headers.has("event_name", "event_timestamp", "user_pseudo_id|user_id"):
        return preset
    return None
