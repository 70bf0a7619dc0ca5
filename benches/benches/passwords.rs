//! What a login costs: our verification, with its wiped memory and its budget, beside the bare hash in a buffer of its own.

use std::{error::Error, sync::Arc};

use argon2::{Algorithm, Argon2, Block, Version};
use argon2_rust::params::Memory;
use bartizan_argon2_simd::SimdArgon2id;
use bartizan_benches::{Bench, Case};
use bartizan_core::{SecretText, os};
use bartizan_passwords::{Params, PasswordHash, Passwords, Verification};

const PASSWORD: &str = "correct horse battery staple";
const SALT: &[u8; 16] = b"the salt of none";

/// `PASSWORD` by bcrypt, cost 12.
const BCRYPT_12: &str = "$2b$12$abcdefghijklmnopqrstuu0sDWleciW5uGBGYwxpcgAsh9WK4bWNy";

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    println!("argon2-simd computes with {}", SimdArgon2id.instructions());
    for (default, simd, params, rounds) in [
        ("argon2_19m", "argon2_simd_19m", Params::OWASP, 101),
        ("argon2_64m", "argon2_simd_64m", Params::new(64 * 1024, 3, 1)?, 41),
    ] {
        argon2(&mut bench, default, params, rounds)?;
        argon2_simd(&mut bench, simd, params, rounds)?;
    }
    bcrypt_12(&mut bench)?;
    bench.finish();
    Ok(())
}

/// The limit: `argon2` in one buffer, which is never wiped.
fn argon2(
    bench: &mut Bench,
    name: &'static str,
    params: Params,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let login = Login::new(params, |passwords| passwords)?;
    let settings = argon2::Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, settings);
    let mut buffer = vec![Block::new(); params.memory_kib() as usize];
    let mut tag = [0; 32];
    bench.run(
        Case::new(name, || login.is_let_in())
            .limit(|| {
                argon2
                    .hash_password_into_with_memory(PASSWORD.as_bytes(), SALT, &mut tag, &mut buffer)
                    .is_ok()
            })
            .in_rounds(rounds),
    );
    Ok(())
}

/// The limit: `argon2-rust` in one `Hasher`, which it wipes itself.
fn argon2_simd(
    bench: &mut Bench,
    name: &'static str,
    params: Params,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let login = Login::new(params, |passwords| passwords.with_engine(Arc::new(SimdArgon2id)))?;
    let settings = argon2_rust::Params::builder()
        .memory(Memory::kib(params.memory_kib().into()))
        .passes(params.passes())
        .lanes(params.lanes())
        .build()?;
    let mut hasher =
        argon2_rust::Argon2::new(argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13, settings)
            .hasher();
    let mut tag = [0; 32];
    bench.run(
        Case::new(name, || login.is_let_in())
            .limit(|| hasher.hash_into(PASSWORD.as_bytes(), SALT, &mut tag).is_ok())
            .in_rounds(rounds),
    );
    Ok(())
}

/// Ours computes what an unknown user costs as well, so that it is never faster.
fn bcrypt_12(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let passwords = Passwords::new(Params::OWASP, Params::OWASP.memory_bytes(), Arc::new(os::OsEntropy))?;
    let login = Login {
        passwords,
        password: SecretText::new(PASSWORD.to_owned()),
        stored: PasswordHash::parse(BCRYPT_12)?,
    };
    if !login.is_let_in() || !bcrypt::verify(PASSWORD, BCRYPT_12).unwrap_or(false) {
        return Err("the bcrypt hash is of another password".into());
    }
    bench.run(
        Case::new("bcrypt_12", || login.is_let_in())
            .limit(|| bcrypt::verify(PASSWORD, BCRYPT_12).unwrap_or(false))
            .in_rounds(11),
    );
    Ok(())
}

struct Login {
    passwords: Passwords,
    password: SecretText,
    stored: PasswordHash,
}

impl Login {
    /// With a budget for one operation.
    fn new(params: Params, with: impl FnOnce(Passwords) -> Passwords) -> Result<Self, Box<dyn Error>> {
        let passwords = with(Passwords::new(params, params.memory_bytes(), Arc::new(os::OsEntropy))?);
        let password = SecretText::new(PASSWORD.to_owned());
        let stored = PasswordHash::parse(&passwords.hash(&password)?.to_phc())?;
        Ok(Self { passwords, password, stored })
    }

    fn is_let_in(&self) -> bool {
        matches!(self.passwords.verify(&self.password, Some(&self.stored)), Ok(Verification::Match { .. }))
    }
}
