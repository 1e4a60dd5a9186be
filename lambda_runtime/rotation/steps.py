"""The four steps of a rotation, in the order in which Secrets Manager calls them."""

from __future__ import annotations

from enum import Enum

from lambda_runtime.rotation.errors import RotationError


class Step(Enum):
    """A step. Its value is Secrets Manager's name for it."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"

    @classmethod
    def of(cls, name: object) -> Step:
        """The step of that name, in either spelling: `createSecret` or `create_secret`.

        Raises:
            RotationError: if there is none.
        """
        for step in cls:
            if str(name).replace("_", "").lower() == step.value.lower():
                return step
        raise RotationError(f"there is no step {name!r}; steps are {', '.join(step.value for step in cls)}")
