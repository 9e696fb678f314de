#!/usr/bin/env python3
"""What watching costs, beside prometheus + prometheus-blackbox-exporter on the same targets at the same time.

    benches/probes.py target/release/thuocdo                         # 2 000 HTTP targets every 5 s, for two minutes
    benches/probes.py target/release/thuocdo --tls --seconds 120     # the same over TLS
    benches/probes.py target/release/thuocdo --targets 5000 --every 60 --seconds 600 --alone
    benches/probes.py target/release/thuocdo --hang 500 --alone      # 500 of them never answer

Everything stays on loopback. nginx (and, unless --alone, prometheus and prometheus-blackbox-exporter) must be installed;
the Debian packages are nginx-light, prometheus and prometheus-blackbox-exporter. CPU is user + system time of the
processes themselves; memory is their peak; disk is what their folders hold at the end, with everything in them. An hour
that ends within the run is sealed, rolled up and recorded in it, and its cost counts.
"""
import argparse, json, os, pathlib, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
BODY = "<!doctype html><html lang='vi'><title>Cong</title><body><h1>Cong thong tin dien tu</h1><p>" + "noi dung " * 100 + "</p></body></html>"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def size_bytes(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def wait_for(what, within=30):
    until = time.time() + within
    while time.time() < until:
        try:
            if what():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"did not become ready within {within} s: {what}")


def get(url):
    return urllib.request.urlopen(url, timeout=5).read().decode()


class Ground:
    """A folder, processes that end with it, and the targets."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="thuocdo-probes-"))
        self.processes = []
        self.port = free_port()

    def start(self, name, command, **more):
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, **more)
        self.processes.append(process)
        return process

    def end(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def url(self, no):
        if no < self.arguments.hang:
            return f"http://127.0.0.1:{self.dead_port}/t/{no}"
        base = f"https://localhost:{self.port}" if self.arguments.tls else f"http://127.0.0.1:{self.port}"
        return f"{base}/t/{no}"


def start_nginx(ground):
    tls = ""
    if ground.arguments.tls:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                        "-subj", "/CN=bench", "-keyout", ground.folder / "ca.key", "-out", ground.folder / "ca.pem"], check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                        "-keyout", ground.folder / "key.pem", "-out", ground.folder / "csr.pem"], check=True, capture_output=True)
        (ground.folder / "san").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        subprocess.run(["openssl", "x509", "-req", "-in", ground.folder / "csr.pem", "-CA", ground.folder / "ca.pem", "-CAkey", ground.folder / "ca.key",
                        "-CAcreateserial", "-days", "30", "-extfile", ground.folder / "san", "-out", ground.folder / "cert.pem"], check=True, capture_output=True)
        tls = f"ssl_certificate {ground.folder}/cert.pem; ssl_certificate_key {ground.folder}/key.pem; ssl_session_cache off; ssl_session_tickets off;"
    (ground.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {ground.folder}/nginx.pid; error_log {ground.folder}/error.log; worker_rlimit_nofile 20000;
events {{ worker_connections 8000; }}
http {{ access_log off; default_type text/html;
  client_body_temp_path {ground.folder}/b; proxy_temp_path {ground.folder}/p; fastcgi_temp_path {ground.folder}/f; uwsgi_temp_path {ground.folder}/u; scgi_temp_path {ground.folder}/s;
  server {{ listen 127.0.0.1:{ground.port} {'ssl' if tls else ''} backlog=4096; {tls} location / {{ return 200 "{BODY}"; }} }} }}
""")
    process = ground.start("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-c", ground.folder / "nginx.conf"])
    wait_for(lambda: socket.create_connection(("127.0.0.1", ground.port), 1))
    return process


def start_dead(ground):
    """A listener that takes connections and never says a word."""
    code = "import socket,time\ns=socket.socket();s.bind(('127.0.0.1',%d));s.listen(4096)\nheld=[]\nwhile True: held.append(s.accept()); held=held[-3000:]" % ground.dead_port
    return ground.start("dead", [sys.executable, "-c", code])


def start_ours(ground):
    a, home = ground.arguments, ground.folder / "ours"
    catalogue = home / "files"
    (catalogue / "collectors").mkdir(parents=True)
    subprocess.run([a.binary, "init", home / "init"], check=True, capture_output=True)
    shutil.copytree(next((home / "init").rglob("registry")), catalogue / "registry")
    (catalogue / "registry/portals.csv").write_text(
        "id,unit,url,from,to\n" + "".join(f"t{no},H49,{ground.url(no)},,\n" for no in range(a.targets)))
    shutil.rmtree(home / "init")
    # indicators name collectors that are not here
    indicators = catalogue / "registry/indicators.toml"
    indicators.write_text(re.sub(r'(?m)^collector = .*\n', "", indicators.read_text()))
    (catalogue / "collectors/portals.toml").write_text(f"""schema = 1
id = "portals"
title = {{ vi = "t", en = "t" }}
[source.probe]
every = "{a.every}s"
timeout = "{a.timeout}s"
confirm = {{ attempts = 1 }}
own_network = {{ references = ["tcp://127.0.0.1:{ground.port}"] }}
ip = "v4"
up = {{ body_has = ["Cong thong tin dien tu"] }}
""")
    port = free_port()
    (home / "thuocdo.toml").write_text(f"""store = "sqlite:{home}/thuocdo.db"
evidence = "{home}/evidence"
spool = "{home}/spool"
catalogue = "{catalogue}"
[province]
unit = "H49"
[network]
loopback_names = true
[http]
{f'extra_ca = "{ground.folder}/ca.pem"' if a.tls else ''}
[service]
listen = "127.0.0.1:{port}"
canary = false
""")
    process = ground.start("ours", [a.binary, "--settings", home / "thuocdo.toml", "serve", "--log", "text"], cwd=home)
    wait_for(lambda: get(f"http://127.0.0.1:{port}/readyz"))
    return process, port, home


def start_theirs(ground):
    a, home = ground.arguments, ground.folder / "theirs"
    home.mkdir()
    blackbox, prometheus = free_port(), free_port()
    tls = f"tls_config: {{ ca_file: {ground.folder}/ca.pem }}" if a.tls else ""
    (home / "blackbox.yml").write_text(f"""modules:
  http:
    prober: http
    timeout: {a.timeout}s
    http: {{ preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: ["Cong thong tin dien tu"], {tls} }}
""")
    targets = json.dumps([ground.url(no) for no in range(a.targets)])
    (home / "prometheus.yml").write_text(f"""global: {{ scrape_interval: {a.every}s, scrape_timeout: {a.timeout}s }}
scrape_configs:
  - job_name: probe
    metrics_path: /probe
    params: {{ module: [http] }}
    static_configs: [ {{ targets: {targets} }} ]
    relabel_configs:
      - {{ source_labels: [__address__], target_label: __param_target }}
      - {{ source_labels: [__param_target], target_label: instance }}
      - {{ target_label: __address__, replacement: "127.0.0.1:{blackbox}" }}
""")
    one = ground.start("blackbox", ["prometheus-blackbox-exporter", f"--config.file={home}/blackbox.yml", f"--web.listen-address=127.0.0.1:{blackbox}"])
    two = ground.start("prometheus", ["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{prometheus}"])
    wait_for(lambda: get(f"http://127.0.0.1:{prometheus}/-/ready"))
    return [one.pid, two.pid], prometheus, home / "data"


def metric(text, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def our_counts(port):
    text = get(f"http://127.0.0.1:{port}/metrics")
    late = {q: metric(text, f'thuocdo_probe_lateness_seconds{{collector="portals",quantile="{q}"}}') for q in ("0.5", "0.99", "1")}
    return metric(text, "thuocdo_probe_attempts_total"), metric(text, 'thuocdo_probe_attempts_total{collector="portals",ended="well"}'), metric(text, "thuocdo_probe_slots_skipped_total"), late


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--targets", type=int, default=2000)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--timeout", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--hang", type=int, default=0, help="so many targets take the connection and never answer")
    parser.add_argument("--alone", action="store_true", help="without prometheus and blackbox_exporter")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    arguments = parser.parse_args()
    ground = Ground(arguments)
    ground.dead_port = free_port()
    try:
        start_nginx(ground)
        if arguments.hang:
            start_dead(ground)
        ours, port, home = start_ours(ground)
        theirs = None if arguments.alone else start_theirs(ground)
        # The first round, and the gauges that are set every 15 s.
        time.sleep(max(20, arguments.every))
        begin = time.time()
        database = lambda: sum(p.stat().st_size for p in home.glob("thuocdo.db*"))
        sizes = lambda: size_bytes(home / "spool") + size_bytes(home / "evidence") + database()
        before = (cpu_seconds(ours.pid), our_counts(port), sizes())
        before_theirs = theirs and (sum(map(cpu_seconds, theirs[0])), size_bytes(theirs[2]))
        time.sleep(arguments.seconds)
        took = time.time() - begin
        # Counted every 15 s: what was made is what the schedule asked for, checked against the counter.
        after = (cpu_seconds(ours.pid), our_counts(port), sizes())
        probes = arguments.targets * took / arguments.every
        cpu = after[0] - before[0]
        print(f"{arguments.targets} {'TLS' if arguments.tls else 'HTTP'} targets every {arguments.every} s, {took:.0f} s, {probes:.0f} probes"
              + (f", {arguments.hang} of them hang" if arguments.hang else ""))
        print(f"thuocdo: {1000 * cpu / probes:.3f} ms CPU per probe, peak {peak_mb(ours.pid):.0f} MB, {(after[2] - before[2]) / probes:.2f} bytes on disk per probe")
        counted, well, skipped, late = after[1]
        print(f"  counted {counted:.0f} attempts since the start, {well:.0f} well, {skipped:.0f} slots skipped; late p50 {late['0.5']:.4f} s, p99 {late['0.99']:.4f} s, most {late['1']:.4f} s")
        print(f"  on disk: spool {size_bytes(home / 'spool')}, evidence {size_bytes(home / 'evidence')}, database {database()} bytes")
        if theirs:
            pids, their_port, data = theirs
            cpu_theirs = sum(map(cpu_seconds, pids)) - before_theirs[0]
            print(f"prometheus + blackbox_exporter: {1000 * cpu_theirs / probes:.3f} ms CPU per probe, peak {sum(map(peak_mb, pids)):.0f} MB, {(size_bytes(data) - before_theirs[1]) / probes:.0f} bytes on disk per probe")
            query = get(f"http://127.0.0.1:{their_port}/api/v1/query?query=sum(probe_success)")
            print(f"  up now: {json.loads(query)['data']['result'][0]['value'][1]} of {arguments.targets}")
            print(f"ratio of CPU: {cpu_theirs / cpu:.1f}")
    finally:
        ground.end()
        if arguments.keep:
            print(f"left in {ground.folder}")
        else:
            shutil.rmtree(ground.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
