import errno
import os
import shutil

import h5py
import pytest
from run_files import brownian

from epmpi.analysis import AnalysisError, RunFile
from epmpi.trust import one_line


def complaint(path):
    with pytest.raises(AnalysisError) as caught:
        RunFile(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_absent_foreign_and_truncated_files(make_run, tmp_path):
    assert "no run file" in complaint(tmp_path / "nowhere")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "run.h5").write_text("not HDF5")
    said = complaint(tmp_path / "text")
    assert said.endswith("(truncated, not a run file, or still being written)")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = [1]
    assert "not a run file" in complaint(tmp_path / "foreign.h5")
    whole = make_run(position=brownian(50, 40, 0.1, seed=1)) / "run.h5"
    for name, part in (("half", 0.5), ("most", 0.98), ("empty", 0.0)):
        (tmp_path / name).mkdir()
        cut = tmp_path / name / "run.h5"
        shutil.copy(whole, cut)
        with cut.open("r+b") as stream:
            stream.truncate(int(part * whole.stat().st_size))
        assert "cannot be opened" in complaint(cut)


@pytest.mark.parametrize("number", [errno.EACCES, errno.ESTALE])
def test_a_refusal_of_the_system_is_told_in_its_words(make_run, monkeypatch, number):
    run = make_run() / "run.h5"

    def refuse(*arguments, **options):
        what = f"unable to open file: name = '{run}', errno = {number}, flags = 0, o_flags = 0"
        raise OSError(number, f"Unable to synchronously open file ({what})")

    monkeypatch.setattr(h5py, "File", refuse)
    assert complaint(run) == f"{run} cannot be read: {os.strerror(number)}"
    assert one_line(OSError(number, "o_flags = 0")) == os.strerror(number)


def test_a_lattice_without_a_shape(make_run):
    run = make_run()
    with h5py.File(run / "run.h5", "r+") as file:
        del file["parameters/lattice"]
    assert "shape" in complaint(run)
