# What the benches say of their samples.

# Of sorted samples, by nearest rank: the smallest that so many percent of them do not exceed.
def rank(p): .[((length * p / 100) | ceil) - 1];
def rounded: . * 1000 | round / 1000;
def short: if . >= 100 then round elif . >= 10 then . * 10 | round / 10 else . * 100 | round / 100 end;

def target(name; measured; comparison; limit):
    {name: name, measured: (measured | if . == null then . else rounded end), limit: "\(comparison) \(limit)"}
    | .met = (.measured != null and if comparison == "<=" then .measured <= limit else .measured >= limit end);

# Lines of a table for awk: target, measured, limit, whether it was met.
def targets: .[] | [.name, .measured, .limit, if .met then "met" else "MISSED" end] | @tsv;
