from django.db import migrations

BATCH = 500

# `streaming/admin/search.py` searches by the same expression. A text vector may have 1 MB, so a longer text counts by its
# beginning. Each 100,000 characters have less than that.
CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS streaming_message_search ON streaming_message
USING gin (to_tsvector('simple'::regconfig, left("text", 100000)))
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS streaming_message_search"


def _on_postgres(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


def name_tools(apps, schema_editor):
    """Fills `tool_names` of the messages that are older than the column."""
    messages = apps.get_model("streaming", "Message").objects.using(schema_editor.connection.alias)
    changed = []
    for message in messages.filter(role="assistant").only("parts").iterator(BATCH):
        names = [part.get("name", "") for part in message.parts if part.get("type") == "tool-call"]
        if names:
            message.tool_names = "\n" + "\n".join(dict.fromkeys(" ".join(name.split()) for name in names)) + "\n"
            changed.append(message)
        if len(changed) == BATCH:
            messages.bulk_update(changed, ["tool_names"])
            changed = []
    messages.bulk_update(changed, ["tool_names"])


class Migration(migrations.Migration):

    atomic = False  # CONCURRENTLY: writers do not wait

    dependencies = [
        ('streaming', '0004_reviews_costs_pins'),
    ]

    operations = [
        migrations.RunPython(name_tools, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(_on_postgres(CREATE), _on_postgres(DROP)),
    ]
