//! How often a route may be asked, and by whom it is counted.

use std::{fmt, net::IpAddr};

use bartizan_audit_events::Event;
use bartizan_core::{Detail, DetailValue, Outcome, Principal};
use bartizan_rate_limit::{Admission, Ask, HeaderFields, HeaderVersion, Key, Policy, Standing};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Arrival, Code, Guard, Problem};

/// A limit of a route: a policy, and whom it counts.
///
/// ```
/// use bartizan_http::RouteLimit;
/// use bartizan_rate_limit::{OnOutage, Policy};
///
/// let limit = RouteLimit::by_address(Policy::general(OnOutage::LocalFallback));
/// assert_eq!(limit.to_string(), "general by address");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLimit {
    policy: Policy,
    by: LimitBy,
}

/// Whom a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitBy {
    /// The client's address: of IPv4 whole, of IPv6 its /64. Asked before anybody is authenticated.
    Address,
    /// Whoever is authenticated, from wherever.
    Principal,
    /// All of a tenant together.
    Tenant,
    /// Everybody together. Asked before anybody is authenticated.
    Everybody,
}

impl LimitBy {
    /// Whether it can be asked only once it is known who asks.
    #[must_use]
    pub const fn needs_principal(self) -> bool {
        matches!(self, Self::Principal | Self::Tenant)
    }
}

impl RouteLimit {
    /// By the client's address.
    #[must_use]
    pub const fn by_address(policy: Policy) -> Self {
        Self { policy, by: LimitBy::Address }
    }

    /// By whoever is authenticated.
    #[must_use]
    pub const fn by_principal(policy: Policy) -> Self {
        Self { policy, by: LimitBy::Principal }
    }

    /// By tenant.
    #[must_use]
    pub const fn by_tenant(policy: Policy) -> Self {
        Self { policy, by: LimitBy::Tenant }
    }

    /// For everybody together.
    #[must_use]
    pub const fn of_everybody(policy: Policy) -> Self {
        Self { policy, by: LimitBy::Everybody }
    }

    /// Whom it counts.
    #[must_use]
    pub const fn by(&self) -> LimitBy {
        self.by
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// `general by address`
impl fmt::Display for RouteLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            LimitBy::Address => "by address",
            LimitBy::Principal => "by principal",
            LimitBy::Tenant => "by tenant",
            LimitBy::Everybody => "of everybody",
        };
        write!(f, "{} {by}", self.policy.name())
    }
}

impl Guard {
    /// Charges a request under those limits that can be asked now: with nobody known those by address and of everybody, with somebody
    /// known the others. What they said goes into the answer's header, whatever it is: [`limit_headers`].
    ///
    /// # Errors
    /// 429 when one of them refuses, with `Retry-After`; 503 when their store is out and a policy is closed then; 500 when the
    /// client's address is not known, or this guard was given no limiter.
    pub async fn limit(
        &self,
        arrival: &Arrival<'_>,
        limits: &[RouteLimit],
        who: Option<&Principal>,
    ) -> Result<Vec<Standing>, Problem> {
        let due: Vec<&RouteLimit> =
            limits.iter().filter(|limit| limit.by.needs_principal() == who.is_some()).collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let Some(limiter) = self.limiter() else {
            return Err(self.failure(arrival, "no_limiter"));
        };
        let principal = who.map(|who| [who.tenant(), who.subject()]);
        let mut asks = Vec::with_capacity(due.len());
        for limit in &due {
            let key = match (limit.by, &principal, arrival.address) {
                (LimitBy::Everybody, ..) => Key::global(),
                (LimitBy::Address, _, Some(address)) => Key::address(address),
                (LimitBy::Principal, Some(names), _) => Key::texts(names),
                (LimitBy::Tenant, Some([tenant, _]), _) => Key::account(tenant),
                // SECURITY: nobody is let through uncounted because it is not known whom to count.
                _ => return Err(self.failure(arrival, "nobody_to_count")),
            };
            asks.push(Ask::new(&limit.policy, key));
        }
        match limiter.check(&asks).await {
            Ok(Admission::Admitted(admitted)) => Ok(admitted.standings()),
            Ok(Admission::Refused(standing)) => {
                self.note_excess(arrival, &standing, who);
                Err(Problem::limited(Code::RateLimitExceeded, &standing))
            }
            Err(error) => Err(self.outage(arrival, "limits_unavailable", error.fault())),
        }
    }

    /// Puts on record that a client asked more often than it may: of each source once a minute, with the number since.
    fn note_excess(&self, arrival: &Arrival<'_>, standing: &Standing, who: Option<&Principal>) {
        let policy = standing.policy().name();
        let told = match who {
            Some(who) => self.tally().count((policy, who.tenant(), who.subject()), self.clock().monotonic()),
            None => self.tally().count((policy, arrival.address.map(network)), self.clock().monotonic()),
        };
        let Some(told) = told else { return };
        let [times, elsewhere] = told.details();
        let details = [Detail { name: "limit", value: DetailValue::Text(policy) }, times, elsewhere];
        // Of bulk delivery: a flood may outrun its record, and the answer is a refusal either way.
        let _ = self.note(
            Event::EXCESS_RATE_LIMIT_EXCEEDED,
            Outcome::Denied,
            arrival,
            who,
            "rate_limit",
            &details,
        );
    }
}

/// Adds what limits said to an answer, behind what other limits said already: `RateLimit` and `RateLimit-Policy` of
/// draft-ietf-httpapi-ratelimit-headers-11.
pub fn limit_headers(headers: &mut HeaderMap, standings: &[Standing]) {
    if standings.is_empty() {
        return;
    }
    let fields = HeaderFields::new(HeaderVersion::Draft11, standings);
    for (name, value) in [(RATE_LIMIT_POLICY, fields.policy()), (RATE_LIMIT, fields.limit())] {
        let before = headers.get(&name).and_then(|before| before.to_str().ok());
        let value = before.map_or_else(|| value.to_owned(), |before| format!("{before}, {value}"));
        // Names of policies are plain characters: this is a header.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// An address as limits count it, so that one source is one source in the record too.
pub(crate) fn network(address: IpAddr) -> (u8, [u8; 8]) {
    let mut prefix = [0; 8];
    match address.to_canonical() {
        IpAddr::V4(address) => prefix.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from),
        IpAddr::V6(address) => prefix.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from),
    }
    (u8::from(address.to_canonical().is_ipv6()), prefix)
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
