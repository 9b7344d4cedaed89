# SPDX-License-Identifier: AGPL-3.0-or-later
"""`tandemctl doctor` finds what is wrong, and nothing where nothing is; doctor.py has the whole table."""
import os

from doctor_rows import sound, test_later, test_written


def test_doctor_sound(bench):
    took = sound(bench)
    print(f"the doctor took {took:.1f} s")


def test_doctor_finds_what_is_written_wrongly(bench):
    test_written(bench)


def test_doctor_finds_what_goes_wrong_later(bench):
    os.environ["TANDEM_DOCTOR"] = "short"
    test_later(bench)
