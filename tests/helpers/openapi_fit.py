"""Whether a JSON value is what an OpenAPI document says of it, to the field."""

from http_door import Tree


def misfits(value: object, schema: Tree, root: Tree, place: str = "answer") -> list[str]:
    """Where a value differs from a schema; fields that the schema does not name count as well."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return misfits(value, root["components"]["schemas"][name], root, place)
    if "anyOf" in schema:
        tries = [misfits(value, option, root, place) for option in schema["anyOf"]]
        return [] if [] in tries else min(tries, key=len)
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool, "null": None}
    kind = schema.get("type")
    if kind == "object":
        assert isinstance(value, dict), place
        return object_misfits(value, schema, root, place)
    if kind == "array":
        assert isinstance(value, list), place
        kinds_of = schema.get("prefixItems") or [schema["items"]] * len(value)
        return [
            misfit
            for i, (item, kind_of) in enumerate(zip(value, kinds_of, strict=True))
            for misfit in misfits(item, kind_of, root, f"{place}[{i}]")
        ]
    if kind is None:
        return []
    fits = value is None if kind == "null" else isinstance(value, kinds[kind])  # type: ignore[arg-type]
    return [] if fits else [f"{place} is no {kind}"]


def object_misfits(value: Tree, schema: Tree, root: Tree, place: str) -> list[str]:
    fields = schema.get("properties", {})
    found = [f"{place}.{name} missing" for name in schema.get("required", ()) if name not in value]
    for name, held in value.items():
        inner = fields.get(name, schema.get("additionalProperties"))
        if inner is None:
            found.append(f"{place}.{name} undocumented")
        elif isinstance(inner, dict):
            found += misfits(held, inner, root, f"{place}.{name}")
    return found


__all__ = ["misfits"]
