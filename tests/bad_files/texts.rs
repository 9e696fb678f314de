//! Whole, valid collector texts that together hold every key of the format.

/// HTTP with a JSON body, rows of JSON, every gate that judges them.
pub const JSON: &str = r##"# A collector for tests.
schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
owner = "Trung tâm"
origin = "measured"

[schedule]
cron = "30 6 * * *"
timezone = "Asia/Ho_Chi_Minh"
catch_up = { windows = "latest", max_age = "35d" }
stale_after = "36h"

[source.http]
method = "POST"
url = "https://portal.example/{unit.code}?p={period.year}"
headers = { accept = "application/json", x-from = "{province.npsp}" }
json = { kind = "{period.kind}", month = "{period.month?}", root = "{unit.codes.npsp}", page = 1, all = true, list = ["{due:%Y-%m-%d}"] }
for_each = { period = ["month", "last_year"], unit = "commune" }
auth.api_key = { header = "X-Key", value = { secret = "npsp/token" } }

[source.http.expect]
status = [200, 201]
content_type = "application/json"
json = { "$.code" = "OK", "$.root" = "{province.npsp}" }
body_has = ["data"]

[source.http.limits]
connect = "10s"
request = "60s"
run = "20m"
body = "16MiB"

[source.http.rate]
requests = 12
per = "1m"
concurrency = 2

[source.http.retry]
attempts = 4
on = ["connect", "timeout"]
first = "2s"
max = "2m"
honour_retry_after = "10m"

[source.http.breaker]
open_after = 5
probe_every = "30m"
stop_on = ["auth", "firewall"]

[[rows]]
from = { json = ["$.data.parent", "$.data.children[*]"] }
unit = { value = "$.id", codes = "npsp", name = "$.name", code = "$.code", group = { value = "$.level", words = { COMMUNE = "commune" } } }
item = "$.section"
period = { value = "$.month", format = "%m/%Y", kind = "quarter" }
where = { "$.kind" = "2" }
skip = [{ column = "$.label", matches = "^Tổng" }]
key = ["unit", "item", "period"]

  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "$.n"
  number = "plain"
  decimals = 1
  missing = ["", "-"]
  optional = true
  flag = { value = "$.status", optional = true }

[[rows]]
from = { json = "$.data.totals" }
unit = { value = "$.totalId", codes = "npsp" }
period = { month = "2025-10" }

  [[rows.read]]
  indicator = "dossier_on_time_count"
  item = "A"
  value = "$.onTime"

[[rows]]
from = { json = "$.data.others[*]" }
unit = { value = "$.otherId", codes = "npsp" }
period = { year = "2026" }
read = [
  { indicator = "dossier_completed_count", value = "$.completed" },
  { indicator = "dossier_overdue_count", value = "$.overdue" },
  { indicator = "dossier_handling_days", value = "$.days" },
  { indicator = "doc_outgoing_count", value = "$.outgoing" },
  { indicator = "national_index_score", item = "TDGQ", value = "$.points" },
]

[[gate]]
covers = { units = "children", at_least = "0.95", on_fail = "quarantine" }
[[gate]]
rows = { at_least = 1, at_most = 500 }
[[gate]]
complete = { total = "$.data.total", rows = "$.data.all[*]", number = "vi" }
[[gate]]
sums_to = { parts = "$.data.parts[*].n", whole = "$.data.whole.n" }
[[gate]]
not_above = { part = "dossier_completed_count", whole = "dossier_overdue_count" }
[[gate]]
range = { indicator = "national_index_score", item = "TDGQ", min = "0", max = "20" }
[[gate]]
jump = { indicator = "dossier_handling_days", by = "0.5", floor = "100", needs_history = 7, on_fail = "warn" }
[[gate]]
monotonic = { indicator = "doc_outgoing_count" }
[[gate]]
shape = { on_fail = "warn" }
[[gate]]
fresh = { value = "$.updatedAt", format = "rfc3339", max_age = "48h" }
[[gate]]
present = { indicator = "national_index_score", item = "TDGQ", at_least = "0.6" }

[evidence]
retain = "10y"
redact = { headers = ["authorization"] }
"##;

/// HTTP with a form body, rows that are elements of a page.
pub const HTML: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 7 * * 1-5"
[source.http]
method = "POST"
url = "{province.documents}/list"
form = { from = "{period.start:%d/%m/%Y}", params = { json = { year = "{period.year}" } } }
for_each = { period = ["year", "last_year"], closed_for = "100d" }
auth.basic = { user = { secret = "a" }, password = { secret = "b", expires = "2027-01-31" } }
[[rows]]
from = { html = { css = "div.row", encoding = "windows-1258" } }
unit = { value = "td.code@title", codes = "documents" }
  [[rows.read]]
  indicator = "doc_outgoing_count"
  value = "td.n"
  [[rows.read]]
  indicator = "doc_esigned_count"
  value = "td.esigned"
  [[rows.read]]
  indicator = "workfile_count"
  value = "td.files"
[[gate]]
complete = { total = "#total", rows = "div.row" }
[[gate]]
sums_to = { parts = "doc_esigned_count", whole = "workfile_count" }
[[gate]]
fresh = { value = "#date", matches = "ngày ([0-9/]+)", format = "%d/%m/%Y", max_age = "36h" }
"##;

/// A page's table behind a bearer token.
pub const PAGE: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "@daily"
[source.http]
url = "https://portal.example/"
auth.bearer = { secret = "npsp/token" }
[[rows]]
from = { table = { css = "table#tk", header_row = 1 } }
columns = { code = "Mã", name = "Tên", n = "Số" }
unit = { value = "code", codes = "documents", name = "name" }
period = { year = "2026" }
skip = [{ column = "name", matches = "^Tổng" }]
  [[rows.read]]
  indicator = "doc_outgoing_count"
  value = "n"
[[gate]]
header = { is = ["Mã", "Tên", "Số"] }
[[gate]]
sums_to = { parts = "doc_outgoing_count", whole = { skipped = "^Tổng" } }
[source.http.robots]
owner_agreed = "Công văn 123/STTTT-BCVT"
"##;

/// Dropped CSV files.
pub const CSV: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
origin = "declared"
[schedule]
cron = "0 7 1 * *"
[source.file]
glob = "drop/*.csv"
settle = "2m"
limit = "16MiB"
[[rows]]
from = { table = { delimiter = ";", encoding = "utf-8" } }
columns = { code = "Mã", n = "Số" }
unit = { value = "code", codes = "npsp-2025" }
period = { quarter = "2026-Q3" }
  [[rows.read]]
  indicator = "doc_outgoing_count"
  value = "n"
"##;

/// Dropped workbooks.
pub const XLSX: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 7 1 * *"
[source.file]
glob = "drop/*.xlsx"
[[rows]]
from = { table = { sheet = "Xã", header_row = 2 } }
columns = { code = "Mã", n = "Số" }
unit = { value = "code", codes = "npsp-2025" }
period = { day = "2026-09-26" }
  [[rows.read]]
  indicator = "doc_outgoing_count"
  value = "n"
"##;

/// Dropped records of a monitor.
pub const SLOT: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 7 * * *"
[source.file]
glob = "drop/*.csv"
[[rows]]
from = { table = { delimiter = "," } }
columns = { at = "committed_at", site = "slug", status = "status", ms = "response_ms" }
item = "site"
skip = [{ column = "site", matches = "^(google|wikipedia)$" }]
[rows.slot]
at = "at"
format = "rfc3339"
state = "status"
states = { up = ["up"], degraded = ["slow"], down = ["down"] }
missing = [""]
silence = "6h"
latency_ms = "ms"
[[gate]]
rows = { at_least = 1 }
"##;

/// A whole page of every portal.
pub const PORTAL: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 5 * * *"
[source.http]
url = "{portal.url}/trang-chu?from={portal.id}"
for_each = { period = ["day"], portal = "commune" }
breaker = { stop_on = [] }
[[rows]]
from = { page = { least_text = 500, maintenance = ["đang bảo trì"] } }
unit = {}
[[rows.check]]
section = { id = "leaders", heading = ["lãnh đạo", "tiểu sử"] }
[[rows.check]]
section = { id = "map", css = "#ban-do", not_empty = false }
[[rows.check]]
fresh = { section = "news", css = ".tin", format = "%d/%m/%Y" }
[[rows.check]]
counters = { css = "#so-lieu", labels = ["tiếp nhận", ["giải quyết", "đã xong"]] }
[[rows.check]]
lang = {}
[[rows.check]]
title = {}
[[rows.check]]
form_labels = {}
[[rows.check]]
image_alt = {}
[[rows.check]]
headings = {}
[[rows.check]]
contrast = {}
[[rows.check]]
https = {}
[[rows.check]]
domain = ["*.gov.vn"]
[[gate]]
present = { indicator = "portal_section_present", item = "map", at_least = "1" }
"##;

/// Portals that are watched.
pub const PROBE: &str = r##"schema = 1
id = "x"
title = { vi = "Thử", en = "Trial" }

[source.probe]
every     = "60s"
timeout   = "10s"
confirm   = { attempts = 3, spacing = ["5s", "15s"] }
own_network = { references = ["tcp://10.0.0.1:53"], quorum = 1 }
targets   = "registry/portals.csv"
ip        = "both"
redirects = { max = 3, same_site = true }
up        = { status = ["200-399"], tls = "valid", body_has = ["Cổng"], body_lacks = ["Request Rejected"] }
maintenance_page = ["đang bảo trì"]
degraded  = { slower_than = "5s" }
domain    = ["*.gov.vn"]
body      = "256KiB"
[evidence]
retain = "10y"
"##;

/// Each with its name.
pub const ALL: [(&str, &str); 8] =
    [("JSON", JSON), ("HTML", HTML), ("PAGE", PAGE), ("CSV", CSV), ("XLSX", XLSX), ("PORTAL", PORTAL), ("SLOT", SLOT), ("PROBE", PROBE)];
