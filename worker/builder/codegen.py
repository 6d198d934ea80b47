"""Runs alone, as a program: schema.json -> models.txt, by datamodel-code-generator.

Nothing of the order's text comes here: names and texts are f0, C1, s2 (skeleton.py).
"""

from pathlib import Path

from datamodel_code_generator import InputFileType, generate
from datamodel_code_generator.enums import DataModelType
from datamodel_code_generator.format import PythonVersion
from datamodel_code_generator.parser import LiteralType

_HEADER = "#"  # instead of its own, which says when it ran


def main() -> None:
    """Write what the library makes of the schema."""
    generate(
        Path("schema.json").read_text(),
        input_file_type=InputFileType.JsonSchema,
        output=Path("models.py"),
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        use_annotated=True,
        field_constraints=True,
        use_standard_collections=True,
        use_union_operator=True,
        enum_field_as_literal=LiteralType.All,
        collapse_root_models=True,
        use_tuple_for_closed_arrays=True,
        disable_future_imports=True,
        disable_timestamp=True,
        custom_file_header=_HEADER,
        formatters=[],
    )


if __name__ == "__main__":
    main()
