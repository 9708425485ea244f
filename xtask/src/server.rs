//! A static file server for one folder, on this machine only.
//!
//! In: GET and HEAD requests over HTTP/1.1, with `Range` and `If-None-Match`. Out: files with the headers
//! that make the page's promises enforceable by the browser. Paths without an extension that name no file get
//! `index.html`, because the page routes them itself.
//!
//! Every response carries [`SECURITY_HEADERS`], scripts of workers included: a worker whose script comes
//! without the policy is not bound by the policy of its page.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use crate::Outcome;

/// What every response says beside its contents.
///
/// The content security policy admits the page's own files and nothing else; `wasm-unsafe-eval` is the switch
/// for WebAssembly, `blob:` is for pictures and clips that the person opens, `data:` for icons inside styles.
/// The cross-origin headers isolate the page from windows and embedders of other origins.
pub const SECURITY_HEADERS: [(&str, &str); 7] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
         img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (
        "Permissions-Policy",
        "camera=(self), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), bluetooth=(), hid=(), \
         midi=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
];

/// A connection that says nothing for this long is closed.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// Longest request line or header line that is read.
const MAX_LINE_BYTES: u64 = 16 * 1024;

/// Most header lines of one request.
const MAX_HEADERS: usize = 100;

/// A bound port and what is behind it.
pub struct Server {
    listener: TcpListener,
    site: Site,
    address: SocketAddr,
}

/// What is served, and how.
struct Site {
    folder: PathBuf,
    /// In place of the first of [`SECURITY_HEADERS`].
    policy: Option<&'static str>,
    ledger: Option<Mutex<File>>,
}

impl Server {
    /// Takes a port of 127.0.0.1; port 0 lets the system choose one.
    pub fn bind(port: u16, folder: PathBuf) -> Outcome<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!(
                        "port {port} is taken by another program; stop it, or choose another with --port N"
                    )
                }
                _ => format!("port {port} cannot be opened: {error}"),
            })?;
        let address = listener
            .local_addr()
            .map_err(|error| format!("the port has no address: {error}"))?;
        Ok(Self {
            listener,
            site: Site {
                folder,
                policy: None,
                ledger: None,
            },
            address,
        })
    }

    /// The same server with another content security policy: pages that are no part of the product have other needs.
    pub fn with_policy(mut self, policy: &'static str) -> Self {
        self.site.policy = Some(policy);
        self
    }

    /// The same server, which appends the path of every file that it sends whole to `ledger`, one a line.
    pub fn with_ledger(mut self, ledger: File) -> Self {
        self.site.ledger = Some(Mutex::new(ledger));
        self
    }

    /// The address to open in a browser.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests until the process ends.
    pub fn run(self) {
        let site = Arc::new(self.site);
        for stream in self.listener.incoming() {
            // A connection that breaks while it is being made concerns nobody else.
            let Ok(stream) = stream else { continue };
            let site = Arc::clone(&site);
            std::thread::spawn(move || converse(stream, &site));
        }
    }
}

/// Serves one connection. Errors end it: they mean that the browser went away or speaks no HTTP.
fn converse(stream: TcpStream, site: &Site) {
    let _ = stream.set_read_timeout(Some(IDLE_LIMIT));
    let _ = stream.set_nodelay(true);
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    let mut writer = stream;
    while let Some(request) = Request::read(&mut reader) {
        if respond(&request, site, &mut writer).is_err() || request.close {
            break;
        }
    }
}

/// The parts of a request that this server looks at.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    /// The path before any `?`, still percent-encoded.
    path: String,
    range: Option<String>,
    if_none_match: Option<String>,
    close: bool,
}

impl Request {
    /// Reads one request head; none where the connection ended or what came is not HTTP.
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let line = read_line(reader)?;
        let mut words = line.split(' ');
        let (method, target, protocol) = (words.next()?, words.next()?, words.next()?);
        if !protocol.starts_with("HTTP/1.") {
            return None;
        }
        let path = target.split(['?', '#']).next().unwrap_or("/").to_owned();
        let mut request = Self {
            method: method.to_owned(),
            path,
            range: None,
            if_none_match: None,
            close: protocol == "HTTP/1.0",
        };
        for _ in 0..MAX_HEADERS {
            let line = read_line(reader)?;
            if line.is_empty() {
                return Some(request);
            }
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.to_owned()),
                "if-none-match" => request.if_none_match = Some(value.to_owned()),
                "connection" => request.close |= value.eq_ignore_ascii_case("close"),
                // A body would be read as the next request.
                "content-length" | "transfer-encoding" => request.close = true,
                _ => {}
            }
        }
        None
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    reader
        .by_ref()
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut line)
        .ok()?;
    if line.pop() != Some(b'\n') {
        return None;
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).ok()
}

fn respond(request: &Request, site: &Site, out: &mut impl Write) -> std::io::Result<()> {
    if request.method != "GET" && request.method != "HEAD" {
        return write_text(
            out,
            "405 Method Not Allowed",
            "Only GET and HEAD are answered here.\n",
            request,
            site,
        );
    }
    let Some((mut file, path)) = open(&site.folder, &request.path) else {
        return write_text(out, "404 Not Found", "There is no such file.\n", request, site);
    };
    let metadata = file.metadata()?;
    let length = metadata.len();
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let tag = format!("\"{length:x}-{:x}\"", modified.unwrap_or_default().as_nanos());

    let mut head = Head::new(request, site);
    head.line("Content-Type", content_type(&path));
    head.line("Cache-Control", cache_control(&path));
    head.line("ETag", &tag);
    head.line("Accept-Ranges", "bytes");
    if request.if_none_match.as_deref() == Some(tag.as_str()) {
        return head.send(out, "304 Not Modified");
    }
    let (status, range) = match request.range.as_deref().map(|range| parse_range(range, length)) {
        None | Some(Requested::Whole) => ("200 OK", 0..length),
        Some(Requested::Part(range)) => {
            head.line(
                "Content-Range",
                &format!("bytes {}-{}/{length}", range.start, range.end - 1),
            );
            ("206 Partial Content", range)
        }
        Some(Requested::Unsatisfiable) => {
            head.line("Content-Range", &format!("bytes */{length}"));
            head.line("Content-Length", "0");
            return head.send(out, "416 Range Not Satisfiable");
        }
    };
    head.line("Content-Length", &(range.end - range.start).to_string());
    head.send(out, status)?;
    if request.method == "GET" {
        site.note(&path);
        file.seek(SeekFrom::Start(range.start))?;
        std::io::copy(&mut file.take(range.end - range.start), out)?;
    }
    out.flush()
}

impl Site {
    /// Writes a sent file into the ledger.
    fn note(&self, path: &Path) {
        let (Some(ledger), Ok(path)) = (&self.ledger, path.strip_prefix(&self.folder)) else {
            return;
        };
        if let Ok(mut ledger) = ledger.lock() {
            // A ledger that cannot be written lacks lines, which its reader sees; the page is served all the same.
            let _ = writeln!(ledger, "{}", path.to_string_lossy().replace('\\', "/"));
        }
    }
}

/// The header lines of a response, kept until its status is known.
struct Head {
    lines: String,
}

impl Head {
    fn new(request: &Request, site: &Site) -> Self {
        let mut head = Self { lines: String::new() };
        for (position, (name, value)) in SECURITY_HEADERS.into_iter().enumerate() {
            let policy = site.policy.filter(|_| position == 0);
            head.line(name, policy.unwrap_or(value));
        }
        head.line("Connection", if request.close { "close" } else { "keep-alive" });
        head
    }

    fn line(&mut self, name: &str, value: &str) {
        self.lines.push_str(&format!("{name}: {value}\r\n"));
    }

    fn send(&self, out: &mut impl Write, status: &str) -> std::io::Result<()> {
        out.write_all(format!("HTTP/1.1 {status}\r\n{}\r\n", self.lines).as_bytes())
    }
}

fn write_text(
    out: &mut impl Write,
    status: &str,
    text: &str,
    request: &Request,
    site: &Site,
) -> std::io::Result<()> {
    let mut head = Head::new(request, site);
    head.line("Content-Type", "text/plain; charset=utf-8");
    head.line("Cache-Control", "no-cache");
    head.line("Content-Length", &text.len().to_string());
    head.send(out, status)?;
    if request.method != "HEAD" {
        out.write_all(text.as_bytes())?;
    }
    out.flush()
}

/// The file that a request path names, or `index.html` where the path is one of the page's own.
fn open(folder: &Path, request_path: &str) -> Option<(File, PathBuf)> {
    let relative = relative_path(request_path)?;
    let path = folder.join(&relative);
    if path.is_file() {
        return Some((File::open(&path).ok()?, path));
    }
    if relative.extension().is_some() {
        return None;
    }
    let index = folder.join("index.html");
    Some((File::open(&index).ok()?, index))
}

/// A request path as a path below the served folder, or none where it could leave that folder.
fn relative_path(request_path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(request_path.strip_prefix('/')?)?;
    let mut relative = PathBuf::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            // A backslash or a colon separates paths on Windows.
            part if part.contains(['\\', ':', '\0']) => return None,
            part => relative.push(part),
        }
    }
    Some(relative)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Requested {
    Whole,
    Part(std::ops::Range<u64>),
    Unsatisfiable,
}

/// Understands one range of bytes (RFC 9110, section 14.1.2); anything else is answered with the whole file,
/// as the standard allows.
fn parse_range(header: &str, length: u64) -> Requested {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|spec| spec.split_once('-'))
    else {
        return Requested::Whole;
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(n_last)) if first.is_empty() => length.saturating_sub(n_last)..length,
        _ => return Requested::Whole,
    };
    if range.start < range.end {
        Requested::Part(range)
    } else {
        Requested::Unsatisfiable
    }
}

fn content_type(path: &Path) -> &'static str {
    match path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Files whose names carry a hash never change; all others are asked for anew each time.
fn cache_control(path: &Path) -> &'static str {
    let stem = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let hashed = stem.split(['-', '.', '_']).any(|part| {
        // Trunk writes its 64-bit hashes without leading zeros.
        (12..=16).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_leave_the_folder_are_refused() {
        for path in [
            "/../secret",
            "/a/../../secret",
            "/%2e%2e/secret",
            "/a\\..\\b",
            "/c:/x",
            "/%00",
            "/%zz",
            "secret",
        ] {
            assert_eq!(relative_path(path), None, "{path}");
        }
        assert_eq!(relative_path("/a//./b%20c.js"), Some(PathBuf::from("a/b c.js")));
        assert_eq!(relative_path("/"), Some(PathBuf::new()));
    }

    #[test]
    fn ranges_follow_rfc_9110() {
        let cases = [
            ("bytes=0-9", 100, Requested::Part(0..10)),
            ("bytes=90-", 100, Requested::Part(90..100)),
            ("bytes=-10", 100, Requested::Part(90..100)),
            ("bytes=-200", 100, Requested::Part(0..100)),
            ("bytes=50-500", 100, Requested::Part(50..100)),
            ("bytes=100-", 100, Requested::Unsatisfiable),
            ("bytes=-0", 100, Requested::Unsatisfiable),
            ("bytes=0-", 0, Requested::Unsatisfiable),
            ("bytes=9-0", 100, Requested::Whole),
            ("bytes=0-1,5-6", 100, Requested::Whole),
            ("lines=1-2", 100, Requested::Whole),
        ];
        for (header, length, expected) in cases {
            assert_eq!(parse_range(header, length), expected, "{header}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for (name, hashed) in [
            ("plumbline_web-0123456789abcdef_bg.wasm", true),
            ("layout-23456789abcdef.css", true),
            ("boot-feedface.js", false),
            ("index.html", false),
            ("worker.js", false),
            ("lite.tflite", false),
            ("a-0123456789abcdeg.js", false),
        ] {
            assert_eq!(cache_control(Path::new(name)) != "no-cache", hashed, "{name}");
        }
    }

    /// Serves a folder of three files and returns the answer to a request as text.
    fn answer(request: &str) -> String {
        answer_of(|server, _| server, request)
    }

    /// The same, from a server that has been changed.
    fn answer_of(change: impl Fn(Server, &Path) -> Server, request: &str) -> String {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("plumbline-server-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(folder.join("models")).unwrap();
        std::fs::write(folder.join("index.html"), "<p>page</p>").unwrap();
        std::fs::write(folder.join("worker.js"), "work()").unwrap();
        std::fs::write(folder.join("models/lite.tflite"), "0123456789").unwrap();
        let server = change(Server::bind(0, folder.clone()).unwrap(), &folder);
        let address = server.address;
        std::thread::spawn(move || server.run());
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        text
    }

    fn get(path: &str, headers: &str) -> String {
        answer(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    #[test]
    fn every_answer_carries_the_security_headers() {
        for path in ["/", "/worker.js", "/models/lite.tflite", "/missing.js", "/models"] {
            let text = get(path, "");
            for (name, value) in SECURITY_HEADERS {
                assert!(
                    text.contains(&format!("\r\n{name}: {value}\r\n")),
                    "{path} lacks {name}: {text}"
                );
            }
        }
    }

    #[test]
    fn files_routes_and_missing_files_are_told_apart() {
        for (path, status, end) in [
            ("/", "200 OK", "<p>page</p>"),
            ("/privacy", "200 OK", "<p>page</p>"),
            ("/worker.js?v=1", "200 OK", "work()"),
            ("/missing.wasm", "404 Not Found", "There is no such file.\n"),
            ("/../worker.js", "404 Not Found", "There is no such file.\n"),
        ] {
            let text = get(path, "");
            assert!(
                text.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{path}: {text}"
            );
            assert!(text.ends_with(end), "{path}: {text}");
        }
    }

    #[test]
    fn a_range_is_served_as_a_part() {
        let text = get("/models/lite.tflite", "Range: bytes=2-4\r\n");
        assert!(text.starts_with("HTTP/1.1 206 Partial Content\r\n"), "{text}");
        assert!(text.contains("\r\nContent-Range: bytes 2-4/10\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\n234"), "{text}");
    }

    #[test]
    fn head_has_the_length_and_no_body_and_other_methods_are_refused() {
        let text = answer("HEAD /worker.js HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert!(
            text.contains("\r\nContent-Length: 6\r\n") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
        let text = answer("POST / HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 405 "), "{text}");
    }

    #[test]
    fn another_policy_takes_the_place_of_the_first_header_only() {
        let request = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
        let text = answer_of(|server, _| server.with_policy("default-src 'self'"), request);
        assert!(
            text.contains("\r\nContent-Security-Policy: default-src 'self'\r\n"),
            "{text}"
        );
        for (name, value) in &SECURITY_HEADERS[1..] {
            assert!(text.contains(&format!("\r\n{name}: {value}\r\n")), "{text}");
        }
    }

    #[test]
    fn the_ledger_names_what_was_sent() {
        let place = std::env::temp_dir().join(format!("plumbline-ledger-{}", std::process::id()));
        let keep = |server: Server, _: &Path| server.with_ledger(File::create(&place).unwrap());
        answer_of(
            keep,
            "GET /models/lite.tflite HTTP/1.1\r\nConnection: close\r\n\r\n",
        );
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "models/lite.tflite\n");
        answer_of(keep, "HEAD /worker.js HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "");
        std::fs::remove_file(&place).unwrap();
    }

    #[test]
    fn a_taken_port_is_a_sentence_that_names_the_way_out() {
        let first = Server::bind(0, PathBuf::new()).unwrap();
        let Err(sentence) = Server::bind(first.address.port(), PathBuf::new()) else {
            panic!("the port is taken")
        };
        assert!(sentence.contains("--port"), "{sentence}");
    }
}
