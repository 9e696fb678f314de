//! Records of a monitor: keys and values that are none, or that do not fit each other.

use super::{Mistake, wrong};

/// Records of a monitor: keys and values that are none, or that do not fit each other.
pub const SLOT: &[Mistake] = &[
    wrong("SLOT", "silence =", "silent =", 19, "silent = ", "unknown field `silent`, expected one of `at`"),
    wrong("SLOT", "silence = \"6h\"\n", "", 13, "[rows.slot]", "missing field `silence`"),
    wrong("SLOT", "\nat = \"at\"", "", 13, "[rows.slot]", "missing field `at`"),
    wrong("SLOT", "state = \"status\"\n", "", 13, "[rows.slot]", "missing field `state`"),
    wrong("SLOT", ", down = [\"down\"]", "", 17, "{ up = ", "missing field `down`"),
    wrong(
        "SLOT",
        "degraded = [\"slow\"]",
        "maintenance = [\"slow\"]",
        17,
        "maintenance = ",
        "unknown field `maintenance`, expected one of `up`",
    ),
    wrong("SLOT", "up = [\"up\"]", "up = []", 17, "{ up = []", "no word means up"),
    wrong("SLOT", "up = [\"up\"]", "up = \"up\"", 17, "\"up\"", "invalid type: string \"up\", expected a sequence"),
    wrong("SLOT", "degraded = [\"slow\"]", "degraded = [\"down\"]", 17, "{ up = ", "\"down\" is listed twice"),
    wrong("SLOT", "missing = [\"\"]", "missing = [\"up \"]", 17, "{ up = ", "\"up\" is listed twice"),
    wrong("SLOT", "\"6h\"", "\"six\"", 19, "\"six\"", "\"six\" is not a length of time"),
    wrong("SLOT", "\"6h\"", "\"0s\"", 19, "\"0s\"", "\"0s\" is not a length of time"),
    wrong("SLOT", "\"rfc3339\"", "\"%d/%m/%Y\"", 15, "\"%d/%m/%Y\"", "states no time of a day"),
    wrong("SLOT", "\"rfc3339\"", "\"%d/%m/%y %H:%M\"", 15, "\"%d/%m/%y %H:%M\"", "has a year of two digits"),
    wrong("SLOT", "at = \"at\"", "at = \"when\"", 14, "\"when\"", "columns defines no \"when\""),
    wrong("SLOT", "state = \"status\"", "state = \"stat\"", 16, "\"stat\"", "columns defines no \"stat\""),
    wrong("SLOT", "latency_ms = \"ms\"", "latency_ms = \"s\"", 20, "\"s\"", "columns defines no \"s\""),
    wrong("SLOT", "item = \"site\"\n", "", 12, "[rows.slot]", "the rows do not say of what each is a record"),
    wrong(
        "SLOT",
        "item = \"site\"\n",
        "item = \"site\"\nunit = { value = \"site\", codes = \"npsp\" }\n",
        12,
        "{ value = \"site\"",
        "unit has no effect beside slot",
    ),
    wrong("SLOT", "item = \"site\"\n", "item = \"site\"\nkey = [\"item\"]\n", 12, "[\"item\"]", "key has no effect beside slot"),
    wrong(
        "SLOT",
        "item = \"site\"\n",
        "item = \"site\"\nperiod = { year = \"2026\" }\n",
        12,
        "{ year = ",
        "period has no effect beside slot",
    ),
    wrong(
        "SLOT",
        "item = \"site\"\n",
        "item = \"site\"\nread = [{ indicator = \"doc_outgoing_count\", value = \"ms\" }]\n",
        12,
        "[{ indicator",
        "read has no effect beside slot",
    ),
    wrong(
        "SLOT",
        "[[gate]]\n",
        "[[rows]]\nfrom = { table = { delimiter = \",\" } }\ncolumns = { x = \"X\" }\nitem = \"x\"\n\
         slot = { at = \"x\", state = \"x\", states = { up = [\"1\"], down = [\"0\"] }, silence = \"1h\" }\n[[gate]]\n",
        25,
        "{ at = \"x\"",
        "a second slot",
    ),
];
