"""Settings: one TOML file in, frozen and typed settings out.

In: ``omnibasket.toml`` and the environment. Out: ``Config``. Every other room reads it; nothing
else in the library reads settings.
"""

from recsys.config.toml_file import Config, config_from_environment, load_config, parse_config

__all__ = ["Config", "config_from_environment", "load_config", "parse_config"]
