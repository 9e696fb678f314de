#!/usr/bin/env python3
"""Measures the built service: start with a year of data, idle CPU, a real Prometheus, memory over a long soak.

usage: benches/service.py target/release/thuocdo [start] [idle] [scrape] [soak RUNS]

Everything happens on loopback and in a temporary folder (in memory where /dev/shm is there, so that synced writes
cost no waiting). `scrape` needs promtool and prometheus (Debian: apt-get install prometheus).
"""
import http.server
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
PORT = int(os.environ.get("THUOCDO_BENCH_PORT", "18268"))


class Portal(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self):
        Portal.asked += 1
        # A hundred different answers: evidence is deduplicated, values are restated.
        body = b'{"code":"OK","data":[{"id":"root-1","n":%d}]}' % (Portal.asked % 100)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


COLLECTOR = """schema = 1
id = "{id}"
title = {{ vi = "Thử", en = "Trial" }}
[schedule]
cron = "{cron}"
catch_up = {{ windows = "{windows}", max_age = "60d" }}
[source.http]
url = "{base}/api?id={id}&year={{period.year}}"
for_each = {{ period = ["year"] }}
expect = {{ status = [200], content_type = "application/json", json = {{ "$.code" = "OK" }} }}
[[rows]]
from = {{ json = "$.data[*]" }}
unit = {{ value = "$.id", codes = "trial" }}
  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "$.n"
"""


def install(folder, base, collectors, windows):
    for inner in ["collectors", "registry/units", "registry/codes", "criteria"]:
        (folder / inner).mkdir(parents=True)
    (folder / "registry/units/u.csv").write_text(
        "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision\nH49,H49,Quảng Ninh,province,tỉnh,,,,\n")
    (folder / "registry/codes/trial.csv").write_text("code,unit,valid_from,valid_to\nroot-1,H49,,\n")
    (folder / "registry/indicators.toml").write_text(
        'schema = 1\n[[indicator]]\nid = "dossier_processed_count"\ntitle = { vi = "a", en = "b" }\nmeasure = "count"\n'
        'range = { least = "0" }\nover_units = "sum"\ncite = "x"\n')
    for id, cron in collectors:
        (folder / f"collectors/{id}.toml").write_text(COLLECTOR.format(id=id, cron=cron, base=base, windows=windows))
    (folder / "thuocdo.toml").write_text(
        f'catalogue = "."\n[province]\nunit = "H49"\n[service]\nlisten = "127.0.0.1:{PORT}"\n')


class Copy:
    def __init__(self, binary, folder):
        self.log = folder / "log"
        self.started = time.monotonic()
        self.process = subprocess.Popen([binary, "--settings", folder / "thuocdo.toml", "serve"],
                                        stdin=subprocess.DEVNULL, stderr=open(self.log, "ab"))

    def ready(self):
        """Seconds from the start of the process until /readyz says so."""
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).read()
                return time.monotonic() - self.started
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(self.log.read_text())
                time.sleep(0.002)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def metric(name):
    text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10).read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


def a_year(folder, collectors):
    """Rows of a year: 180 daily and 20 hourly collectors, and 6 750 series with a value a day and 5 % restatements."""
    db = sqlite3.connect(folder / "thuocdo.db")
    now = int(time.time()) * 1_000_000
    hour, day = 3_600_000_000, 86_400_000_000
    db.execute("begin")
    for id, cron in collectors:
        step, n = (hour, 8760) if cron.endswith("* * * *") and cron[0] != "*" and " * " in cron and cron.split()[1] == "*" else (day, 365)
        dues = [now - (k + 1) * step for k in range(n)]
        db.executemany("insert into run values (?,?,1,'schedule','recorded',?,?,?,null,'','serve:x:1:1')",
                       [(id, due, due, due, due + 1_000_000) for due in dues])
        db.executemany("insert into attempt values (?,?,1,'schedule','serve:x:1:1',?,?,'recorded',null,'',0,1,0,0,0,'2026')",
                       [(id, due, due, due + 1_000_000) for due in dues])
        db.execute("update schedule set planned_until = ? where collector = ?", (now, id))
    for series in range(6750):
        db.execute("insert into series values (?,?,?,?,'')", (1000 + series, f"seed-{series % 200}", f"i{series // 225}", f"u{series % 225}"))
        rows = [(1000 + series, time.strftime("%Y-%m-%d", time.gmtime(now / 1e6 - k * 86400)), now - k * day, str(k), "", now - k * day, 1)
                for k in range(365)]
        rows += [(s, p, at + 60_000_000, value + "1", f, due, no) for (s, p, at, value, f, due, no) in rows[::20]]
        db.executemany("insert into observation values (?,?,?,?,?,?,?)", rows)
    db.commit()
    n = db.execute("select (select count(*) from run), (select count(*) from observation)").fetchone()
    db.close()
    return n


def main():
    binary, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or ["start", "idle", "scrape", "soak", "100000"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    root = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    try:
        if {"start", "idle", "scrape"} & set(wanted):
            year(binary, root / "year", base, wanted)
        if "soak" in wanted:
            soak(binary, root / "soak", base, int(wanted[wanted.index("soak") + 1]))
    finally:
        shutil.rmtree(root)


def year(binary, folder, base, wanted):
    folder.mkdir()
    collectors = [(f"daily-{n:03}", f"{n % 60} {n % 24} * * *") for n in range(180)] + [(f"hourly-{n:03}", f"{n * 3 % 60} * * * *") for n in range(20)]
    install(folder, base, collectors, "latest")
    first = Copy(binary, folder)
    first.ready()
    first.stop()
    print("a year of data: %d runs, %d observations" % a_year(folder, collectors), flush=True)
    if "start" in wanted:
        took = []
        for _ in range(7):
            copy = Copy(binary, folder)
            took.append(copy.ready())
            copy.stop()
        print("start to ready: median %.0f ms, least %.0f, most %.0f" % tuple(1000 * f(took) for f in (statistics.median, min, max)), flush=True)
    copy = Copy(binary, folder)
    copy.ready()
    if "idle" in wanted:
        time.sleep(20)
        before, started = copy.cpu(), time.monotonic()
        time.sleep(120)
        share = (copy.cpu() - before) / (time.monotonic() - started)
        print("idle with 200 collectors: %.2f %% of a core, %.0f MiB" % (100 * share, copy.rss_mib()), flush=True)
    if "scrape" in wanted:
        scrape(folder)
    copy.stop()


def scrape(folder):
    text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    print("promtool check metrics: exit %d %s" % (checked.returncode, (checked.stdout + checked.stderr).decode().strip()), flush=True)
    (folder / "prometheus.yml").write_text(
        f"global: {{ scrape_interval: 2s }}\nscrape_configs:\n- job_name: thuocdo\n  static_configs: [{{ targets: ['127.0.0.1:{PORT}'] }}]\n")
    prometheus = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                                   f"--web.listen-address=127.0.0.1:{PORT + 1}"], stderr=subprocess.DEVNULL)
    time.sleep(15)

    def ask(query):
        answer = urllib.request.urlopen(f"http://127.0.0.1:{PORT + 1}/api/v1/query?query={query}")
        return json.load(answer)["data"]["result"][0]["value"][1]
    print("prometheus: up = %s, %s series of ours, scrape %s s, %d bytes" % (
        ask("up"), ask("count(%7B__name__=~%22thuocdo_.*%22%7D)"), ask("scrape_duration_seconds"), len(text)), flush=True)
    prometheus.terminate()
    prometheus.wait()


def soak(binary, folder, base, runs):
    folder.mkdir()
    n = 20
    install(folder, base, [(f"soak-{k:02}", "* * * * *") for k in range(n)], "every")
    first = Copy(binary, folder)
    first.ready()
    first.stop()
    db = sqlite3.connect(folder / "thuocdo.db")
    db.execute("update schedule set planned_until = ?", (int(time.time() - runs / n * 60) * 1_000_000,))
    db.commit()
    db.close()
    copy = Copy(binary, folder)
    copy.ready()
    started, seen = time.monotonic(), []
    while True:
        done = metric("thuocdo_runs_total")
        seen.append((done, copy.rss_mib()))
        if len(seen) % 10 == 1:
            print("%6d runs, %.1f MiB, %.0f s" % (*seen[-1], time.monotonic() - started), flush=True)
        if done >= runs:
            break
        time.sleep(3)
    # The caches of SQLite and of the allocator fill in the first tenth.
    flat = [mib for done, mib in seen if done >= runs / 10]
    print("soak: %d runs in %.0f s, memory %.1f to %.1f MiB after the first tenth (median %.1f)" % (
        seen[-1][0], time.monotonic() - started, min(flat), max(flat), statistics.median(flat)))
    print("failures %d, store errors %d" % (metric("thuocdo_run_failures_total"), metric("thuocdo_store_errors_total")))
    copy.stop()


main()
