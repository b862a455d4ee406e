"""The checks of the place where attachments are stored."""

from __future__ import annotations

import pytest
from django.core.checks import Error, Warning

from tests.checks import messages


def test_unknown_files_storage_is_an_error():
    assert messages(deploy=True, STREAMING_FILES_STORAGE="uploads") == [
        Error(
            "STREAMING_FILES_STORAGE is 'uploads', and STORAGES has no such alias.",
            hint="Name one of: default, staticfiles; or add it to STORAGES.",
            id="streaming.E050",
        )
    ]


@pytest.mark.parametrize("changed", [{"MEDIA_ROOT": "/srv/media"}, {"STREAMING_FILE_TYPES": []}])
def test_files_without_a_directory_are_a_warning_when_deployed(changed):
    [placeless] = messages(deploy=True, MEDIA_ROOT="")
    assert (placeless.id, placeless.level) == ("streaming.W051", Warning("").level)
    assert messages(MEDIA_ROOT="") == []
    assert messages(deploy=True, **({"MEDIA_ROOT": ""} | changed)) == []
