//! Moves Trunk's inline start script out of the page into a file of its own.
//!
//! Trunk writes the few lines that load the WebAssembly module as an inline `<script type="module">`. The
//! page's content security policy allows no inline script, and neither a nonce nor a hash is wanted in it: a
//! nonce would let a script of any origin in, a hash would tie the server's headers to one build. So the
//! lines become a file named after their own hash.

use crate::Outcome;
use crate::workspace::sha256_hex;

/// A page without inline scripts, and the files that took their place.
#[derive(Debug, PartialEq, Eq)]
pub struct Externalised {
    /// The page's HTML.
    pub html: String,
    /// File name and contents of each script.
    pub scripts: Vec<(String, String)>,
}

/// Replaces every inline module script of `html` by a reference to a file.
///
/// # Errors
/// An inline script that is not a module, or one that never ends, is an error: the policy would refuse the
/// first, and the second means that Trunk's output is not what this code understands.
pub fn externalise(html: &str) -> Outcome<Externalised> {
    let mut rest = html;
    let mut out = String::with_capacity(html.len());
    let mut scripts = Vec::new();
    while let Some(start) = rest.find("<script") {
        let (before, script) = rest.split_at(start);
        out.push_str(before);
        let end_of_tag = script.find('>').ok_or("the page has a <script without an end")?;
        let end = script
            .find("</script>")
            .ok_or("the page has a <script> without a </script>")?
            + "</script>".len();
        let tag = &script[..=end_of_tag];
        if tag.contains(" src=") {
            out.push_str(&script[..end]);
        } else if tag.contains("type=\"module\"") || tag.contains("type=module") {
            let body = script[end_of_tag + 1..end - "</script>".len()].trim();
            let name = format!("start-{}.js", &sha256_hex(body.as_bytes())[..16]);
            out.push_str(&format!("<script type=\"module\" src=\"/{name}\"></script>"));
            scripts.push((name, format!("{body}\n")));
        } else {
            return Err(format!(
                "the page has an inline script that is not a module: {tag}"
            ));
        }
        rest = &script[end..];
    }
    out.push_str(rest);
    Ok(Externalised { html: out, scripts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_module_becomes_a_file_and_everything_else_stays() {
        let html =
            "<head><script type=\"module\" nonce=\"x\">\nimport init from '/a.js';\n</script><link></head>";
        let page = externalise(html).unwrap();
        let [(name, body)] = page.scripts.as_slice() else {
            panic!("one script was inline: {page:?}")
        };
        assert_eq!(body, "import init from '/a.js';\n");
        assert_eq!(
            page.html,
            format!("<head><script type=\"module\" src=\"/{name}\"></script><link></head>")
        );
    }

    #[test]
    fn a_page_without_inline_scripts_is_unchanged() {
        let html = "<p>script</p><script src=\"/theme.js\"></script>";
        assert_eq!(
            externalise(html).unwrap(),
            Externalised {
                html: html.to_owned(),
                scripts: Vec::new()
            }
        );
    }

    #[test]
    fn scripts_that_the_policy_would_refuse_are_errors() {
        for html in [
            "<script>alert(1)</script>",
            "<script type=\"module\">let a;",
            "<script",
        ] {
            assert!(externalise(html).is_err(), "{html}");
        }
    }
}
