"""Validates every YAML document of the files named against the JSON Schema on standard input.

usage: bottle schema | schema-check.py FILE…     exit 0: all valid; 1: not; 3: jsonschema or PyYAML is missing
"""
import json
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)


def documents(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".md"):
        text = text.split("\n---", 1)[0].removeprefix("---\n")
    return [document for document in yaml.safe_load_all(text) if document is not None]


def main(paths):
    schema = json.load(sys.stdin)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    failed = count = 0
    for path in paths:
        for number, document in enumerate(documents(path), 1):
            count += 1
            for error in validator.iter_errors(document):
                failed += 1
                best = jsonschema.exceptions.best_match([error])
                print(f"{path} document {number}: {best.json_path}: {best.message}", file=sys.stderr)
    if count == 0:
        print("no documents", file=sys.stderr)
        failed = 1
    print(f"{count} documents checked")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
