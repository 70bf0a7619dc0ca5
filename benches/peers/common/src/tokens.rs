//! What every program of `cargo xtask bench --peers tokens` does.

mod input;

use std::{cell::Cell, error::Error, hint::black_box};

use ring::hmac;

pub use self::input::{Claims, Family, Input, Key, LIFETIME, NewClaims, Tokens, der_of, now, random_id};
use crate::measure::in_turns;

/// One library with one key, prepared as far as it can be when a service starts.
pub struct Side<'k> {
    /// Whether it accepts a token, with signature, `exp`, `iss` and `aud` checked and the claims read into a struct.
    pub verify: Box<dyn Fn(&str) -> bool + 'k>,
    /// Makes a new token with the claims of the input and shows it, in whatever type a library has for it; none if it fails.
    pub issue: Box<dyn Fn(&dyn Fn(&str)) + 'k>,
}

/// Measures every algorithm that the driver gave a key for, and prints the lines.
///
/// # Errors
/// What a library says about a token that it should have accepted, and tokens that it accepts and must not: what does not do
/// the work is not measured.
pub fn run<'k>(
    input: &'k Input,
    prepare: impl Fn(&'k Input, &'k str, &'k Key) -> Result<Side<'k>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let yardstick = Yardstick::new(input)?;
    for (algorithm, key) in &input.keys {
        let case = algorithm.to_lowercase();
        let side = match prepare(input, algorithm, key) {
            Ok(side) => side,
            Err(problem) => {
                println!("CANNOT {case}_verify {problem}");
                println!("CANNOT {case}_issue {problem}");
                continue;
            }
        };
        check(algorithm, key, &side)?;
        yardstick.measure(&format!("{case}_verify"), &|| {
            black_box((side.verify)(black_box(&key.tokens.good)));
        });
        yardstick.measure(&format!("{case}_issue"), &|| {
            (side.issue)(&|token| {
                black_box(token);
            })
        });
    }
    Ok(())
}

/// That it does the work: accepts what is good, its own tokens too, and refuses what is not.
fn check(algorithm: &str, key: &Key, side: &Side<'_>) -> Result<(), Box<dyn Error>> {
    if !(side.verify)(&key.tokens.good) {
        return Err(format!("it refuses the good {algorithm} token").into());
    }
    let issued = Cell::new(false);
    (side.issue)(&|token| issued.set((side.verify)(token)));
    if !issued.get() {
        return Err(format!("it refuses the {algorithm} token that it issued").into());
    }
    let bad = [
        ("an expired", &key.tokens.expired),
        ("another audience's", &key.tokens.elsewhere),
        ("another issuer's", &key.tokens.impostor),
        ("a changed", &key.tokens.forged),
    ];
    match bad.iter().find(|(_, token)| (side.verify)(token)) {
        Some((what, _)) => Err(format!("it accepts {what} {algorithm} token").into()),
        None => Ok(()),
    }
}

struct Yardstick<'k> {
    key: hmac::Key,
    signed: &'k str,
}

impl<'k> Yardstick<'k> {
    fn new(input: &'k Input) -> Result<Self, Box<dyn Error>> {
        let token = &input.keys.get("HS256").ok_or("the driver gave no HS256 key")?.tokens.good;
        let (signed, _) = token.rsplit_once('.').ok_or("the driver gave no token")?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), signed })
    }

    fn measure(&self, case: &str, work: &dyn Fn()) {
        in_turns(case, || hmac::sign(&self.key, black_box(self.signed.as_bytes())), work);
    }
}
