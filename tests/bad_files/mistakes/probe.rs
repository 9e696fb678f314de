//! How portals are watched: keys and values that are none, or that do not fit each other.

use super::{Mistake, wrong};

/// How portals are watched: keys and values that are none, or that do not fit each other.
pub const PROBE: &[Mistake] = &[
    wrong("PROBE", "every     =", "interval  =", 6, "interval", "unknown field `interval`, expected one of `every`"),
    wrong("PROBE", "\"60s\"", "\"7s\"", 6, "\"7s\"", "slots of 7s do not fill an hour"),
    wrong("PROBE", "\"60s\"", "\"2h\"", 6, "\"2h\"", "slots of 2h do not fill an hour"),
    wrong("PROBE", "\"60s\"", "\"1500ms\"", 6, "\"1500ms\"", "slots of 1s 500ms do not fill an hour"),
    wrong("PROBE", "\"60s\"", "60", 6, "60", "invalid type: integer `60`"),
    wrong("PROBE", "\"10s\"\nconfirm", "\"2m\"\nconfirm", 7, "\"2m\"", "an attempt may take 59s at most"),
    wrong("PROBE", "\"10s\"\nconfirm", "\"14s\"\nconfirm", 8, "{ attempts", "a verdict may take 1m 2s, and the next slot begins after 1m"),
    wrong("PROBE", "attempts = 3", "attempts = 2", 8, "{ attempts", "2 attempts have 1 waits between them, and spacing has 2"),
    wrong("PROBE", "attempts = 3", "attempts = 0", 8, "0", "invalid value: integer `0`"),
    wrong("PROBE", "[\"Request Rejected\"]", "[\" \"]", 13, "[\" \"]", "an empty text is in every page"),
    wrong("PROBE", "attempts = 3", "tries = 3", 8, "tries", "unknown field `tries`"),
    wrong("PROBE", "tcp://10.0.0.1:53", "10.0.0.1:53", 9, "[\"10.0.0.1:53\"]", "is no reference"),
    wrong("PROBE", "quorum = 1", "quorum = 2", 9, "{ references", "[network] quorum = 2, and there are 1 references"),
    wrong("PROBE", "quorum = 1", "dns = [\"10.0.0.1:53\"]", 9, "{ references", "name servers are those of the installation"),
    wrong(
        "PROBE",
        "registry/portals.csv",
        "registry/sites.csv",
        10,
        "\"registry/sites.csv\"",
        "nothing is watched from \"registry/sites.csv\"",
    ),
    wrong("PROBE", "\"both\"", "\"v5\"", 11, "\"v5\"", "unknown variant `v5`, expected one of `v4`, `v6`, `both`, `any`"),
    wrong("PROBE", "same_site", "same_host", 12, "same_host", "unknown field `same_host`"),
    wrong("PROBE", "\"200-399\"", "\"399-200\"", 13, "\"399-200\"", "is no range of statuses"),
    wrong("PROBE", "\"200-399\"", "2000", 13, "2000", "there is no such status"),
    wrong("PROBE", "[\"200-399\"]", "[]", 13, "[]", "no status would count as up"),
    wrong("PROBE", "\"valid\"", "\"strict\"", 13, "\"strict\"", "unknown variant `strict`, expected `valid` or `any`"),
    wrong("PROBE", "slower_than = \"5s\"", "slower_than = \"five\"", 15, "\"five\"", "\"five\" is not a length of time"),
    wrong("PROBE", "[evidence]", "[schedule]\ncron = \"0 6 * * *\"\n[evidence]", 18, "[schedule]", "a probe has no schedule"),
    wrong("PROBE", "[evidence]", "[[gate]]\nrows = { at_least = 1 }\n[evidence]", 18, "[[gate]]", "a probe has no gate"),
];
