"""Settings: one TOML file in, frozen and typed settings out.

In: ``omnibasket.toml`` and the environment. Out: ``Config``. Every other room reads it; nothing
else in the library reads settings.
"""

from recsys.config.toml_file import Config, from_environment, load, parse

__all__ = ["Config", "from_environment", "load", "parse"]
