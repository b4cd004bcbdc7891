import msgspec
import pytest

from detectors.settings import DetectorSettings
from stream import config
from stream.config import Config
from stream.errors import ConfigError


def write(tmp_path, text):
    path = tmp_path / "hydrawatch.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_file_and_environment_everything_has_its_default():
    assert config.load(env={}) == Config()
    assert config.load(env={}).detector == DetectorSettings()


def test_the_file_sets_keys_of_every_kind(tmp_path):
    path = write(tmp_path, 'seed = 5\n[kafka]\ngroup_id = "g"\npartitions = 8\n[decisions]\nenforce = true\n')
    loaded = config.load(path, env={})
    assert (loaded.seed, loaded.kafka.group_id, loaded.kafka.partitions) == (5, "g", 8)
    assert loaded.detector.decisions.enforce is True
    assert loaded.detector.seed == 5


def test_the_environment_names_the_file(tmp_path):
    path = write(tmp_path, "[metrics]\nport = 9100\n")
    assert config.load(env={"HYDRAWATCH_CONFIG": str(path)}).metrics.port == 9100


def test_command_line_beats_environment_beats_file(tmp_path):
    path = write(tmp_path, '[kafka]\ngroup_id = "file"\nbootstrap_servers = "file:1"\npartitions = 2\n')
    env = {"HYDRAWATCH_KAFKA__GROUP_ID": "env", "HYDRAWATCH_BOOTSTRAP_SERVERS": "env:1"}
    kafka = config.load(path, env, kafka__group_id="option", kafka__bootstrap_servers=None).kafka
    assert (kafka.group_id, kafka.bootstrap_servers, kafka.partitions) == ("option", "env:1", 2)


FREE_TEXT = [key for key in config.keys() if isinstance(key.default, str) and key.name != "security_protocol"]  # noqa: SIM118
TYPED = [key for key in config.keys() if key.default is not None and not isinstance(key.default, str)]  # noqa: SIM118


@pytest.mark.parametrize("key", FREE_TEXT, ids=lambda key: key.variable)
def test_every_text_can_be_set_from_the_environment(key):
    loaded = config.load(env={key.variable: "text"})
    assert getattr(getattr(loaded, key.section), key.name) == "text"


@pytest.mark.parametrize("key", TYPED, ids=lambda key: key.variable)
def test_every_number_is_read_from_the_environment_and_checked(key):
    path = f"{key.section}.{key.name}" if key.section else key.name
    with pytest.raises(ConfigError, match=f"^{path}: expected"):
        config.load(env={key.variable: "x"})


def test_values_from_the_environment_take_the_type_of_their_key():
    env = {
        "HYDRAWATCH_SEED": "3",
        "HYDRAWATCH_KAFKA__CHECKPOINT_INTERVAL_S": "0.5",
        "HYDRAWATCH_DECISIONS__ENFORCE": "true",
        "HYDRAWATCH_KAFKA__GROUP_ID": "42",
    }
    loaded = config.load(env=env)
    assert (loaded.seed, loaded.kafka.checkpoint_interval_s, loaded.decisions.enforce) == (3, 0.5, True)
    assert loaded.kafka.group_id == "42"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[kafka]\ngroup = 'x'\n", "kafka.group: unknown key"),
        ("[kafak]\ngroup_id = 'x'\n", "kafak: unknown key"),
        ("[kafka]\npartitions = 0\n", "kafka.partitions: expected `int` >= 1"),
        ("[kafka]\npartitions = 'many'\n", "kafka.partitions: expected `int`"),
        ("[windows]\ntick_s = 1\n", "windows.tick_s: expected `int` >= 60"),
        ("[kafka]\nsession_timeout_s = nan\n", "kafka.session_timeout_s: expected `float` >= 6.0"),
        ("[links]\ntheta = inf\n", "links.theta: expected a finite number"),
        ("kafka = 3\n", "kafka: expected"),
        ("[kafka]\nsasl_password = 'p'\n", "kafka.sasl_password: secrets come from"),
        ("[privacy]\nkey = 'p'\n", "privacy.key: secrets come from"),
        ("[kafka\n", "not TOML"),
        ("seed = -1\n", "seed: expected `int` >= 0"),
        ("[kafka]\nbootstrap_servers = ','\n", "kafka.bootstrap_servers: names no broker"),
        ("[kafka]\nbootstrap_servers = 'a:9092,b:99999'\n", "b:99999: expected host:port"),
        ("[kafka]\nbootstrap_servers = 'a:port'\n", "a:port: expected host:port"),
        ("[decisions]\nduration_hours = 1e300\n", "decisions.duration_hours: expected `float` <= 87600.0"),
        ("[kafka]\nsecurity_protocol = 'SASL_SSL'\n", "kafka.sasl_mechanism: required"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_name_of_the_key(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), env={})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_in_the_environment_is_refused():
    with pytest.raises(ConfigError, match=r"HYDRAWATCH_KAFKA__GRUOP_ID: there is no key kafka\.gruop_id"):
        config.load(env={"HYDRAWATCH_KAFKA__GRUOP_ID": "g"})
    with pytest.raises(ConfigError, match=r"_ENFORCE: did you mean HYDRAWATCH_DECISIONS__ENFORCE\?"):
        config.load(env={"HYDRAWATCH_DECISIONS_ENFORCE": "true"})
    assert config.load(env={"HYDRAWATCH_OTHER": "x"}) == Config()


@pytest.mark.parametrize("servers", ["localhost", "a:1, b:65535", "[::1]:9092", "[::1]"])
def test_brokers_with_and_without_ports(servers):
    env = {"HYDRAWATCH_BOOTSTRAP_SERVERS": servers}
    assert config.load(env=env).kafka.bootstrap_servers == servers


def test_an_empty_path_or_missing_file_is_one_line():
    assert config.load("", env={"HYDRAWATCH_CONFIG": ""}) == Config()
    with pytest.raises(ConfigError, match="No such file"):
        config.load("missing.toml", env={})


def test_secrets_come_from_the_environment_or_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef\n", encoding="utf-8")
    assert config.load(env={"HYDRAWATCH_PRIVACY__KEY": "fedcba9876543210"}).identifier_key == b"fedcba9876543210"
    assert config.load(env={"HYDRAWATCH_PRIVACY__KEY_FILE": str(secret)}).identifier_key == b"0123456789abcdef"
    path = write(tmp_path, f"[kafka]\nsasl_password_file = '{secret}'\n")
    assert config.load(path, env={}).kafka.sasl_password == "0123456789abcdef"
    secret.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"privacy\.key_file: .* is empty"):
        config.load(env={"HYDRAWATCH_PRIVACY__KEY_FILE": str(secret)})


def test_secrets_do_not_show_in_the_representation():
    loaded = config.load(
        env={"HYDRAWATCH_PRIVACY__KEY": "s3cret-s3cret-s3cret", "HYDRAWATCH_KAFKA__SASL_PASSWORD": "pw-pw"}
    )
    assert "s3cret" not in repr(loaded)
    assert "pw-pw" not in repr(loaded)


def test_a_short_privacy_key_is_refused():
    with pytest.raises(ConfigError, match=r"privacy\.key: expected at least 16"):
        config.load(env={"HYDRAWATCH_PRIVACY__KEY": "short"})


def test_the_configuration_cannot_be_changed():
    with pytest.raises(AttributeError):
        Config().seed = 1
    assert msgspec.structs.asdict(Config())["seed"] == DetectorSettings().seed


@pytest.mark.parametrize(("name", "most"), config.LONGEST_S.items())
def test_no_time_is_longer_than_a_client_bears(name, most):
    variable = f"HYDRAWATCH_KAFKA__{name.upper()}"
    assert getattr(config.load(env={variable: str(most)}).kafka, name) == most
    with pytest.raises(ConfigError, match=f"^kafka.{name}: expected at most {most} s"):
        config.load(env={variable: str(most + 1)})
