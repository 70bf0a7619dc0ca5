//! ECDSA on P-256 with SHA-256 and on P-384 with SHA-384, signatures as `r ‖ s`, nonces of RFC 6979.

/// How often a scalar is drawn before the source is held to be broken: a good one needs a second draw once in 2^32.
const MAX_DRAWS: usize = 8;

/// The signer and the verifier of one curve, in a module of its own. The two libraries have the same names for the same things,
/// and being generic over them would need a dozen bounds on each function.
macro_rules! curve {
    ($module:ident, $library:ident, $algorithm:ident, $scalar:literal) => {
        pub(crate) mod $module {
            use std::fmt;

            use bartizan_core::{Entropy, SecretArray, SecretBytes};
            use bartizan_crypto::{
                Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm, SignatureVerifier,
            };
            use $library::ecdsa::{
                Signature, SigningKey, VerifyingKey,
                signature::{Signer as _, Verifier as _},
            };

            const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::$algorithm;

            pub(crate) struct Signer(SigningKey);

            impl Signer {
                pub(crate) fn new(key: &PrivateKey) -> Result<Self, Error> {
                    let signing = signing_key(key.secret())?;
                    if public_key(&signing)? != *key.public() {
                        return Err(ErrorKind::Key.into());
                    }
                    Ok(Self(signing))
                }
            }

            impl bartizan_crypto::Signer for Signer {
                fn algorithm(&self) -> SignatureAlgorithm {
                    ALGORITHM
                }

                fn signature_len(&self) -> usize {
                    2 * $scalar
                }

                fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
                    if signature.len() != self.signature_len() {
                        return Err(ErrorKind::TooLong.into());
                    }
                    let made: Signature = self.0.try_sign(message).map_err(|_| ErrorKind::Primitive)?;
                    signature.copy_from_slice(&made.to_bytes());
                    Ok(())
                }
            }

            impl fmt::Debug for Signer {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "EcdsaSigner({ALGORITHM:?})")
                }
            }

            pub(crate) struct Verifier(VerifyingKey);

            impl Verifier {
                pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
                    VerifyingKey::from_sec1_bytes(key.as_bytes()).map(Self).map_err(|_| ErrorKind::Key.into())
                }
            }

            impl SignatureVerifier for Verifier {
                fn algorithm(&self) -> SignatureAlgorithm {
                    ALGORITHM
                }

                fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
                    // Exactly two numbers, both in 1 … n − 1. A high s is as good as a low one (RFC 7515 knows no rule against
                    // it), so a signature is no identity of what it signs.
                    let signature = Signature::from_slice(signature).map_err(|_| ErrorKind::Unverified)?;
                    self.0.verify(message, &signature).map_err(|_| ErrorKind::Unverified.into())
                }
            }

            impl fmt::Debug for Verifier {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "EcdsaVerifier({ALGORITHM:?})")
                }
            }

            /// The private key of this scalar, 1 … n − 1, big endian.
            pub(crate) fn private_key(scalar: SecretBytes) -> Result<PrivateKey, Error> {
                let signing = signing_key(&scalar)?;
                let public = public_key(&signing)?;
                Ok(PrivateKey::new(scalar, public))
            }

            /// A new key by rejection sampling (FIPS 186-5, A.2.2): no scalar is likelier than another.
            pub(crate) fn generate(entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
                for _ in 0..super::MAX_DRAWS {
                    let scalar = SecretArray::<$scalar>::try_filled(|scalar| entropy.fill(scalar))?;
                    let key = private_key(scalar.into());
                    if !matches!(&key, Err(error) if error.kind() == ErrorKind::Key) {
                        return key;
                    }
                }
                Err(ErrorKind::Entropy.into())
            }

            fn signing_key(scalar: &SecretBytes) -> Result<SigningKey, Error> {
                // The library fills shorter scalars up with zeros; one number has one encoding here.
                let scalar: &[u8; $scalar] = scalar.expose().try_into().map_err(|_| ErrorKind::Key)?;
                SigningKey::from_slice(scalar).map_err(|_| ErrorKind::Key.into())
            }

            fn public_key(signing: &SigningKey) -> Result<PublicKey, Error> {
                PublicKey::new(ALGORITHM, signing.verifying_key().to_sec1_point(false).as_bytes())
            }
        }
    };
}

curve!(on_p256, p256, EcdsaP256Sha256, 32);
curve!(on_p384, p384, EcdsaP384Sha384, 48);
