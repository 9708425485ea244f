//! What `cargo xtask bench` can be asked for.

use std::path::PathBuf;

use crate::Outcome;

/// Rounds that give a ratio two stable digits on a quiet machine.
const ROUNDS: u32 = 20;

/// Fresh browser profiles whose median is the cold start.
const COLD_STARTS: u32 = 3;

/// Which browser runs the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chromium, Chrome or Edge.
    Chromium,
    /// Firefox.
    Firefox,
}

/// The parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Which browser.
    pub browser: Browser,
    /// Rounds of two runs each; 0 times nothing.
    pub rounds: u32,
    /// Where the rows go instead of `target/bench/results.json`.
    pub json: Option<PathBuf>,
    /// Rounds of cold and warm starts, with the page itself among the entrants, instead of the bench page.
    pub starts: Option<u32>,
    /// Vision networks with random weights instead of the product's models, by name; none names all.
    pub networks: Option<Vec<String>>,
    /// Whether to go on serving.
    pub keep_open: bool,
    /// Cold starts of each runtime; 0 leaves them out.
    cold: u32,
    /// Options that the page understands, with their names there; absent ones are the page's to choose.
    chosen: Vec<(&'static str, String)>,
}

/// Options that go to the page as they are: the name here, and in the page's address.
const CHOICES: [(&str, &str); 5] = [
    ("--models", "models"),
    ("--gpu-models", "gpu-models"),
    ("--gpu-rounds", "gpu-rounds"),
    ("--runtimes", "runtimes"),
    ("--against", "against"),
];

/// Who runs networks where nobody is named.
const NETWORK_RUNTIMES: &str = "plumbline-cpu,ort-wasm-1";

impl Arguments {
    /// Understands a command line.
    pub fn parse(args: &[String]) -> Outcome<Self> {
        let mut parsed = Self {
            browser: Browser::Chromium,
            rounds: ROUNDS,
            json: None,
            starts: None,
            networks: None,
            keep_open: false,
            cold: COLD_STARTS,
            chosen: Vec::new(),
        };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--keep-open" {
                parsed.keep_open = true;
                continue;
            }
            let mut value = || {
                rest.next()
                    .map(String::as_str)
                    .ok_or(format!("{arg} needs a value"))
            };
            match arg.as_str() {
                "--browser" => {
                    parsed.browser = match value()? {
                        "chromium" => Browser::Chromium,
                        "firefox" => Browser::Firefox,
                        other => return Err(format!("--browser is chromium or firefox, not '{other}'")),
                    }
                }
                "--rounds" => parsed.rounds = count(arg, value()?)?,
                "--start" => parsed.starts = Some(count(arg, value()?)?),
                "--networks" => {
                    let names = names(arg, value()?)?;
                    let names = names.split(',').filter(|name| *name != "all");
                    parsed.networks = Some(names.map(str::to_owned).collect());
                }
                "--cold" => parsed.cold = count(arg, value()?)?,
                "--json" => {
                    let path = std::path::absolute(value()?).map_err(|error| format!("--json: {error}"))?;
                    parsed.json = Some(path);
                }
                other => match CHOICES.iter().find(|(option, _)| *option == other) {
                    Some((_, name)) => {
                        let value = names(arg, value()?)?;
                        parsed.chosen.push((name, value.to_owned()));
                    }
                    None => return Err(format!("`cargo xtask bench` takes no '{other}'")),
                },
            }
        }
        Ok(parsed)
    }

    /// The same for `tests/bench/run.mjs`: NAME=VALUE each. `networks` are the names of those that are there.
    pub fn for_driver(&self, networks: &[String]) -> Vec<String> {
        let counts = [
            ("rounds", self.rounds.to_string()),
            ("cold", self.cold.to_string()),
        ];
        let of_networks = || {
            [
                ("models", networks.join(",")),
                ("gpu-models", "none".to_owned()),
                ("runtimes", NETWORK_RUNTIMES.to_owned()),
            ]
        };
        let networks = (!networks.is_empty()).then(of_networks).into_iter().flatten();
        // What was asked for comes later and replaces it.
        let all = counts
            .into_iter()
            .chain(networks)
            .chain(self.chosen.iter().cloned());
        all.map(|(name, value)| format!("{name}={value}")).collect()
    }
}

fn names<'a>(option: &str, text: &'a str) -> Outcome<&'a str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b",-".contains(&byte);
    text.bytes()
        .all(is_name)
        .then_some(text)
        .ok_or_else(|| format!("{option} takes names with commas between, not '{text}'"))
}

fn count(option: &str, text: &str) -> Outcome<u32> {
    text.parse::<u32>()
        .ok()
        .filter(|count| *count <= 1000)
        .ok_or_else(|| format!("{option} takes a whole number up to 1000, not '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Arguments> {
        Arguments::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_reach_the_driver_and_the_rest_has_defaults() {
        let plain = parse("").unwrap();
        assert_eq!(
            (plain.browser, plain.rounds, plain.keep_open),
            (Browser::Chromium, 20, false)
        );
        assert_eq!(
            (plain.for_driver(&[]), plain.starts),
            (vec!["rounds=20".to_owned(), "cold=3".to_owned()], None)
        );
        assert_eq!(parse("--start 5").unwrap().starts, Some(5));
        let chosen =
            parse("--browser firefox --models lite,full --rounds 5 --cold 0 --against rten --keep-open");
        let chosen = chosen.unwrap();
        assert_eq!((chosen.browser, chosen.keep_open), (Browser::Firefox, true));
        assert_eq!(
            chosen.for_driver(&[]),
            ["rounds=5", "cold=0", "models=lite,full", "against=rten"]
        );
    }

    #[test]
    fn networks_choose_models_and_runtimes() {
        let all = parse("--networks all --cold 0").unwrap();
        assert_eq!(all.networks, Some(Vec::new()));
        let two = parse("--networks unet,resnet18 --cold 0 --rounds 3 --runtimes ort-wasm-2").unwrap();
        let names = two.networks.clone().unwrap();
        assert_eq!(
            two.for_driver(&names),
            [
                "rounds=3",
                "cold=0",
                "models=unet,resnet18",
                "gpu-models=none",
                "runtimes=plumbline-cpu,ort-wasm-1",
                "runtimes=ort-wasm-2"
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "--models",
            "--models lite&run",
            "--networks ../resnet18",
            "--rounds many",
            "--rounds 1001",
            "--browser edge",
            "--quick",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
