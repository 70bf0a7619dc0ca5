//! Where inputs come from: files, stdin, the environment. Never from the command line, which every user of the machine
//! can read.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use bartizan::core::{SecretBytes, SecretText, os};
use clap::Args;
use zeroize::Zeroizing;

use crate::outcome::{Unusable, note};

/// Largest input that is read whole, in bytes.
const MAX_WHOLE: usize = 1024 * 1024;

/// Longest line of a batch, in bytes; a longer one gets a verdict of its own and is skipped.
const MAX_LINE: usize = 64 * 1024;

/// Where a secret text comes from: stdin unless said otherwise.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct SecretSource {
    /// Read the secret from this file (one trailing newline is dropped)
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Read the secret from this environment variable
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
}

impl SecretSource {
    /// A source that is named elsewhere.
    pub(crate) fn of(file: Option<&Path>, env: Option<&str>) -> Self {
        Self { secret_file: file.map(Into::into), secret_env: env.map(Into::into) }
    }

    /// The secret, without one trailing newline.
    pub(crate) fn read(&self) -> Result<SecretText, Unusable> {
        let bytes = match (&self.secret_env, &self.secret_file) {
            (Some(name), _) => {
                return os::environment(name).ok_or_else(|| Unusable::of(name, "is not set, or not UTF-8"));
            }
            (None, Some(path)) => file(path)?,
            (None, None) => stdin()?,
        };
        let text =
            std::str::from_utf8(bytes.expose()).map_err(|_| Unusable::new("the secret is not UTF-8"))?;
        Ok(SecretText::new(without_newline(text).to_owned()))
    }
}

/// A whole file, of at most 1 MiB.
pub(crate) fn file(path: &Path) -> Result<SecretBytes, Unusable> {
    let too_long = || Unusable::of(path.display(), "longer than 1 MiB");
    let read = File::open(path).and_then(whole).map_err(|error| Unusable::of(path.display(), error))?;
    read.ok_or_else(too_long)
}

/// A whole file that only its owner should read; others who may are pointed out.
pub(crate) fn private_file(path: &Path) -> Result<SecretBytes, Unusable> {
    let bytes = file(path)?;
    if std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o077 != 0) {
        note(format_args!("{}: others may read this key; chmod 600 it", path.display()));
    }
    Ok(bytes)
}

/// A whole file, or for `-` all of stdin.
pub(crate) fn file_or_stdin(path: &Path) -> Result<SecretBytes, Unusable> {
    if path == Path::new("-") { stdin() } else { file(path) }
}

/// All of stdin.
pub(crate) fn stdin() -> Result<SecretBytes, Unusable> {
    stdin_within_limit()?.ok_or_else(|| Unusable::of("stdin", "longer than 1 MiB"))
}

/// All of stdin; nothing when it is over 1 MiB.
pub(crate) fn stdin_within_limit() -> Result<Option<SecretBytes>, Unusable> {
    whole(io::stdin().lock()).map_err(|error| Unusable::of("stdin", error))
}

/// Without one line break at its end.
pub(crate) fn without_newline(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// SECURITY: a growing `Vec` would leave what it read behind in freed memory; what this one outgrows is wiped. Pieces are
/// large enough that stdin's own buffer holds nothing of them.
fn whole(mut from: impl Read) -> io::Result<Option<SecretBytes>> {
    let mut bytes = Zeroizing::new(vec![0; 16 * 1024]);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * length]);
            larger.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
            bytes = larger;
        }
        match from.read(bytes.get_mut(length..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length > MAX_WHOLE {
            return Ok(None);
        }
    }
    Ok(Some(SecretBytes::new(bytes.get(..length).unwrap_or_default().to_vec())))
}

/// One line of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// As it came, without its line break.
    Text(&'a str),
    /// Longer than 64 KiB; nothing of it was kept.
    TooLong,
    /// No UTF-8.
    NotUtf8,
}

/// The lines of a batch, one at a time: a batch of any length needs the memory of one line.
pub(crate) struct Lines<R> {
    from: BufReader<R>,
    line: Zeroizing<Vec<u8>>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn of(from: R) -> Self {
        Self { from: BufReader::with_capacity(MAX_LINE, from), line: Zeroizing::new(Vec::new()) }
    }

    /// The next line, also an empty one; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, Unusable> {
        self.read().map_err(|error| Unusable::of("stdin", error))
    }

    /// Whether the next line is here already, so that reading it does not wait.
    pub(crate) fn is_next_at_hand(&self) -> bool {
        self.from.buffer().contains(&b'\n')
    }

    fn read(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let most = MAX_LINE as u64 + 1;
        if self.from.by_ref().take(most).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() > MAX_LINE && self.line.last() != Some(&b'\n') {
            self.skip_line()?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(
            std::str::from_utf8(&self.line).map_or(Line::NotUtf8, |line| Line::Text(without_newline(line))),
        ))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let here = self.from.fill_buf()?;
            let (used, is_over) = match here.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (here.len(), here.is_empty()),
            };
            self.from.consume(used);
            if is_over {
                return Ok(());
            }
        }
    }
}

/// The token of a line or of stdin: bare, as a JSON string, or as what `token sign` prints.
pub(crate) fn token(text: &str) -> Cow<'_, str> {
    #[derive(serde::Deserialize)]
    struct Signed {
        token: String,
    }

    let trimmed = text.trim();
    let from_json = match trimmed.as_bytes().first() {
        Some(b'"') => serde_json::from_str(trimmed).ok(),
        Some(b'{') => serde_json::from_str::<Signed>(trimmed).ok().map(|signed| signed.token),
        _ => None,
    };
    // What is no JSON is verified as it stands, spaces and all, and refused for what it is.
    from_json.map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_comes_bare_as_a_json_string_or_as_sign_prints_it() {
        for text in ["a.b.c", "\"a.b.c\"", " \"a.b.c\" ", "{\"token\":\"a.b.c\"}", "\"a\\u002eb.c\""] {
            assert_eq!(token(text), "a.b.c", "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_kept_as_it_stands() {
        for text in [" a.b.c", "\"a.b.c", "{\"tokens\":1}", "{\"token\":\"a\",\"token\":\"b\"}", "", "a b"] {
            assert_eq!(token(text), text);
        }
    }

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::of(bytes);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push(match line {
                Line::Text(text) => text.to_owned(),
                other => format!("{other:?}"),
            });
        }
        seen
    }

    #[test]
    fn empty_lines_count_and_the_end_of_the_last_line_adds_none() {
        assert_eq!(all(b""), Vec::<String>::new());
        assert_eq!(all(b"\n"), [""]);
        assert_eq!(all(b"a\n\nb\r\n\r\nc"), ["a", "", "b", "", "c"]);
        assert_eq!(all(b"a\n\xff\nb"), ["a", "NotUtf8", "b"]);
    }

    #[test]
    fn a_line_may_have_64_kib_and_not_one_byte_more() {
        let longest = "x".repeat(MAX_LINE);
        for end in ["", "\n"] {
            assert_eq!(all(format!("{longest}{end}").as_bytes()), [longest.as_str()]);
            assert_eq!(all(format!("{longest}x{end}").as_bytes()), ["TooLong"]);
        }
        let mixed = format!("a\n{longest}{longest}{longest}\nb\n");
        assert_eq!(all(mixed.as_bytes()), ["a", "TooLong", "b"]);
    }

    #[test]
    fn a_whole_input_has_its_limit_at_the_exact_byte() {
        assert_eq!(whole(vec![7; MAX_WHOLE].as_slice()).unwrap().unwrap().expose(), vec![7; MAX_WHOLE]);
        assert!(whole(vec![7; MAX_WHOLE + 1].as_slice()).unwrap().is_none());
        assert_eq!(whole(io::empty()).unwrap().unwrap().expose(), b"");
    }

    proptest! {
        #[test]
        fn every_line_is_answered_once(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300)) {
            let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
            let rest = usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
            prop_assert_eq!(all(&bytes).len(), ends + rest);
        }

        #[test]
        fn a_token_is_taken_out_of_any_text_without_a_panic(text in ".{0,100}") {
            let _ = token(&text);
        }
    }
}
