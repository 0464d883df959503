"""clerk-python-file: called for each record of a table's stream."""

from gristmill import StreamRecord, handler


@handler
def file(record: StreamRecord) -> None:
    # Called once for each record. When it returns, the record need not come
    # again; any exception means that it must.
    print(f"event: {record}")
