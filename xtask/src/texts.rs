//! Scripts and styles as a browser is served them: without the lines that only people read.
//!
//! Goes in: a script or a style sheet of ours, or a script that wasm-bindgen wrote. Comes out: the same without blank lines and without comments
//! that have lines of their own, which are a seventh of what these files weigh after Brotli. Everything else stays, names
//! and indentation too, so that an error in a console still names a line that can be found.

/// The file without such lines. One in which a text runs over several lines is left as it is, because there a line that
/// looks like a comment may be none.
pub fn as_served(script: &str) -> String {
    let has_long_text = |line: &str| line.matches('`').count() % 2 == 1;
    if script.lines().any(has_long_text) {
        return script.to_owned();
    }
    let mut kept = String::with_capacity(script.len());
    let mut is_inside = false;
    for line in script.lines() {
        let text = line.trim();
        if is_inside {
            is_inside = !text.contains("*/");
            // What stands behind a comment is code.
            if !is_inside && !text.ends_with("*/") {
                return script.to_owned();
            }
        } else if let Some(comment) = text.strip_prefix("/*") {
            match comment.find("*/") {
                None => is_inside = true,
                Some(end) if end + 2 == comment.len() => {}
                Some(_) => {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        } else if !text.is_empty() && !text.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_comments_go() {
        let script = "// What it is.\n\nlet a = 1; // one\n  /* two */\n/**\n * @returns {number}\n */\n  let url = \"http://x\";\n\
                      /* three */ let c = `//${a}`;\n";
        assert_eq!(
            as_served(script),
            "let a = 1; // one\n  let url = \"http://x\";\n/* three */ let c = `//${a}`;\n"
        );
    }

    #[test]
    fn a_script_in_which_lines_may_be_text_stays_as_it_is() {
        for script in [
            "let shader = `\n// part of it\n`;\n",
            "/* a comment\n   and */ let code = 1;\n// what it is\n",
        ] {
            assert_eq!(as_served(script), script);
        }
    }
}
