"""TOML files and overrides: what is read, and the words in which the rest is refused."""

import dataclasses
import pickle

import pytest
from refusals import override, refusal

from epmpi.config import ConfigError, Configuration, from_mapping, load, stored_configuration


class TestUnknownNames:
    """A misspelt name is an error that suggests the nearest."""

    @pytest.mark.parametrize(
        ("mapping", "words"),
        [
            ({"modell": {}}, ["unknown section 'modell'", 'did you mean "model"']),
            ({"model": {"temprature": 1}}, ["[model]", 'did you mean "temperature"']),
            ({"temperature": 1}, ['did you mean "model.temperature"']),
            ({"model": {"seed": 1}}, ['did you mean "run.seed"']),
            ({"xyz": {}}, ["known are lattice, model, initial"]),
            ({"run": {"xyz": 1}}, ["known are seed, replicas, device, walltime"]),
            ({1: {}}, ["unknown section 1"]),
            ({"run": {None: 1}}, ["unknown key None"]),
            ({"model": 3}, ["model = 3", "[model]"]),
            ({"model": [{"temperature": 1}]}, ["expected a table"]),
            ([], ["expected a mapping"]),
            (None, ["expected a mapping"]),
        ],
    )
    def test_in_a_mapping(self, mapping, words):
        """From Python or a file."""
        message = refusal(from_mapping, mapping)
        for word in words:
            assert word in message

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("model.temprature=1", ['did you mean "temperature"']),
            ("modell.temperature=1", ['did you mean "model"']),
            ("temperature=1", ["expected section.key=value", 'did you mean "model.temperature"']),
            ("model.seed=1", ['did you mean "run.seed"']),
            ("model.temperature", ["expected section.key=value"]),
            ("", ["expected section.key=value"]),
            ("=", ["expected section.key=value"]),
            (".=", ["unknown section ''"]),
            ("model.temperature=", ["give a value after the ="]),
            ("lattice.shape=[64, 64", ["not a TOML value", "close the quotes or brackets"]),
            ('run.fft="numpy', ["not a TOML value"]),
            ("model.temperature=warm", ["'warm'", "number"]),
            ("model.temperature=nan", ["nan"]),
            ("model.temperature=true", ["True"]),
            ("model.temperature=1979-05-27", ["expected number"]),
            ("model.temperature=0.2\nactivity = 0.1", ["expected number"]),
            ("lattice.shape=64,64", ["write [256, 256]"]),
        ],
    )
    def test_in_an_override(self, text, words):
        """From the command line."""
        message = refusal(override, text)
        for word in words:
            assert word in message


class TestOverrides:
    """Texts section.key=value."""

    def test_bare_and_quoted_words_are_alike(self):
        """A shell eats the quotes."""
        assert override("run.fft=mpi4py-fft") == override('run.fft="mpi4py-fft"')
        assert override("initial.state=a b=c/run.h5").initial.state == "a b=c/run.h5"
        assert override(" run.fft = numpy ").run.fft == "numpy"

    def test_the_last_one_wins(self):
        """Of overrides of one key."""
        assert override("model.temperature=1", "model.temperature=2").model.temperature == 2

    def test_checked_together(self):
        """An order in which every single step is valid is not needed."""
        made = override("model.activity=0.25", "model.activation=random")
        assert made.model.activity == 0.25

    def test_leave_the_original(self):
        """Configurations are values."""
        default = Configuration()
        default.with_overrides(["model.temperature=2"])
        assert default == Configuration()
        with pytest.raises(dataclasses.FrozenInstanceError):
            default.model.temperature = 2

    def test_repair_a_file(self, tmp_path):
        """They are put in before the file is checked."""
        path = tmp_path / "broken.toml"
        path.write_text("[model]\ntemperature = -1\n")
        assert load(path, ["model.temperature=0.5"]).model.temperature == 0.5
        assert "model.temperature = -1" in refusal(load, path)


class TestFiles:
    """TOML files that can, and that cannot, be read."""

    def test_read(self, tmp_path):
        """The keys of the file, and defaults for the others."""
        path = tmp_path / "run.toml"
        path.write_text("# comment\n[lattice]\nshape = [64, 32]\n[model]\ntemperature = 1\n")
        expected = override("lattice.shape=[64, 32]", "model.temperature=1.0")
        assert load(path) == load(str(path)) == expected

    def test_empty(self, tmp_path):
        """Nothing but defaults."""
        path = tmp_path / "empty.toml"
        path.write_bytes(b"")
        assert load(path) == Configuration()

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"[model]\ntemperature = \n", ["not valid TOML", "line 2"]),
            (b"[model]\ntemperature = 1\ntemperature = 2\n", ["not valid TOML", "line 3"]),
            (b"[model]\n# \xe9t\xe9\n", ["line 2 is not UTF-8"]),
            (b"\xef\xbb\xbf[model]\ntemperature = \n", ["not valid TOML", "line 2"]),
            ("[model]\n".encode("utf-16"), ["is UTF-16; save the file as UTF-8"]),
            ("[model]\n".encode("utf-16-le"), ["is UTF-16"]),
            ("[model]\n".encode("utf-16-be"), ["is UTF-16"]),
            ("[model]\n".encode("utf-32"), ["is UTF-32"]),
            ("# \u20ac\n".encode("cp1252"), ["line 1 is not UTF-8, perhaps Windows-1252"]),
            (b"a = " + b"[" * 100_000, ["nested too deeply"]),
            (b"a = " + b"1" * 5000, ["not valid TOML"]),
            (b"[model]\ntemperature = 0x" + b"F" * 9000, ["too large to print"]),
            (b"\0", ["not valid TOML"]),
        ],
    )
    def test_that_is_broken(self, tmp_path, content, words):
        """The message names the file or the key."""
        path = tmp_path / "broken.toml"
        path.write_bytes(content)
        message = refusal(load, path)
        for word in words:
            assert word in message

    @pytest.mark.parametrize("lines", ["\n", "\r\n"], ids=["Unix", "Windows"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "a mark"])
    def test_of_every_editor(self, tmp_path, mark, lines):
        """A mark of the byte order, and ends of lines as Windows has them, are taken."""
        path = tmp_path / "a.toml"
        text = lines.join(["[model]  # \u20ac", "temperature = 0.3", ""])
        path.write_bytes(mark + text.encode())
        assert load(path).model.temperature == 0.3

    @pytest.mark.parametrize("name", ["missing.toml", ".", "null\0.toml", "x" * 5000])
    def test_that_cannot_be_read(self, tmp_path, name):
        """A missing file, a directory, an impossible name."""
        assert "cannot be read" in refusal(load, f"{tmp_path}/{name}")


class TestSeveralFaults:
    """All errors are reported at once, each in a line of its own."""

    @pytest.mark.parametrize(
        ("mapping", "words"),
        [
            (
                {"model": {"temprature": 1, "temperature": -1}, "latice": {}, "run": {"seed": -1}},
                ["temprature", "latice", "model.temperature = -1", "run.seed = -1"],
            ),
            ({"time": {"step": 0, "warmup": -1, "duration": "long"}}, ["step", "warmup", "long"]),
            (
                {
                    "model": {"activation": "random"},
                    "initial": {"state": "gaussian"},
                    "time": {"step": 0.05, "duration": 10.03},
                },
                ["set model.activity", "set initial.stress_deviation", "nearest 10.05"],
            ),
            ({"model": 3, "run": {"xyz": 1}}, ["expected a table", "'xyz'"]),
        ],
        ids=["names and values", "values of a section", "combinations", "tables"],
    )
    def test_of_a_mapping(self, mapping, words):
        with pytest.raises(ConfigError) as caught:
            from_mapping(mapping)
        head, *lines = str(caught.value).splitlines()
        assert head == f"{len(words)} errors in the configuration:"
        assert len(lines) == len(words)
        for word, line in zip(words, lines, strict=True):
            assert line.startswith("  ")
            assert word in line
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

    def test_of_a_file_and_overrides(self, tmp_path):
        file = tmp_path / "a.toml"
        file.write_text("[model]\ntemprature = 0.1\n[tracers]\nnumber = -1\n")
        with pytest.raises(ConfigError, match="3 errors") as caught:
            load(file, ["run.sed=1", "tracers.number=5", "time.step=[1"])
        assert [word in str(caught.value) for word in ("temprature", "sed", "step")] == [True] * 3
        assert "number" not in str(caught.value)

    def test_of_a_stored_run_is_one_line(self):
        text = "[model]\ntemperature = -1\nactivity = 2\n"
        assert "temperature" in refusal(stored_configuration, text)
