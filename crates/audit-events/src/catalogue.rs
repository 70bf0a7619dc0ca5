//! The one table of events: number, name, how grave, what about, how surely kept, and what it is in OCSF 1.9.
//!
//! A number is never given twice and never changes its meaning; a row may be added, none is taken away. Numbers below
//! 10,000 are this table's, those from 10,000 on are a service's own.

use bartizan_core::{Delivery, EventCode, Outcome};

use crate::{Category, Event, Ocsf, Severity};

macro_rules! catalogue {
    ($(
        $number:literal $constant:ident $name:literal $(as $($other:literal)+)?,
        $severity:ident $category:ident $delivery:ident $outcome:ident $class:literal/$activity:literal,
        $description:literal;
    )+) => {
        impl Event {
            $(
                #[doc = $description]
                pub const $constant: Event = Event {
                    code: EventCode::new($number, $name),
                    others: &[$($($other),+)?],
                    severity: Severity::$severity,
                    category: Category::$category,
                    delivery: Delivery::$delivery,
                    outcome: Outcome::$outcome,
                    ocsf: Ocsf::new($class, $activity),
                    description: $description,
                };
            )+
        }

        /// In the order of their numbers.
        pub(crate) const EVENTS: &[Event] = &[$(Event::$constant),+];
    };
}

// number CONSTANT "name" (as "other names that are read"),
//     severity category delivery usual-outcome OCSF class/activity,
//     "description";
catalogue! {
    // 1000: who somebody is.
    1001 AUTHN_LOGIN_SUCCESS "authn_login_success",
        Low Authentication Standard Success 3002/1,
        "Somebody proved who they are.";
    1002 FAILED_LOGIN "failed_login" as "authn_login_fail" "failed_login_attempt",
        Medium Authentication Standard Failure 3002/1,
        "Somebody did not prove who they say they are.";
    1003 AUTHN_LOGIN_SUCCESS_AFTER_FAIL "authn_login_successafterfail",
        Low Authentication Standard Success 3002/1,
        "Somebody proved who they are after failed attempts.";
    1004 AUTHN_LOGIN_FAIL_MAX "authn_login_fail_max",
        High Authentication Standard Denied 3002/1,
        "The attempts that one account or address has are used up.";
    1005 AUTHN_LOGIN_LOCK "authn_login_lock",
        High Authentication Critical Success 3001/9,
        "An account was locked.";
    1006 AUTHN_LOGIN_UNLOCK "authn_login_unlock",
        Medium Authentication Critical Success 3001/12,
        "An account was unlocked.";
    1007 AUTHN_IMPOSSIBLE_TRAVEL "authn_impossible_travel",
        High Authentication Standard Unknown 2004/1,
        "Somebody appeared in two places between which nobody travels that fast.";

    // 1100: passwords.
    1101 AUTHN_PASSWORD_CHANGE "authn_password_change",
        Medium Password Critical Success 3001/3,
        "A password was changed.";
    1102 AUTHN_PASSWORD_CHANGE_FAIL "authn_password_change_fail",
        Medium Password Standard Failure 3001/3,
        "A password was to be changed and was not.";
    1103 PASSWORD_RESET "password_reset",
        Medium Password Critical Success 3001/4,
        "A password was reset without the old one.";
    1104 PASSWORD_REHASHED "password_rehashed",
        Low Password Standard Success 3004/3,
        "A password's hash was made again with the current parameters.";
    1105 PASSWORD_HASH_UNUSABLE "password_hash_unusable",
        High Password Critical Failure 2004/1,
        "A stored password hash is malformed or costs more than is allowed.";

    // 2000: tokens.
    2001 AUTHN_TOKEN_CREATED "authn_token_created",
        Low Token Standard Success 3002/3,
        "A token was issued.";
    2002 AUTHN_TOKEN_REVOKED "authn_token_revoked",
        Medium Token Critical Success 3002/3,
        "A token was revoked before its end.";
    2003 AUTHN_TOKEN_REUSE "authn_token_reuse",
        High Token Critical Denied 3002/3,
        "A token was used that was revoked, or was for one use only.";
    2004 TOKEN_REFUSED "token_refused",
        Medium Token Standard Denied 3002/3,
        "A token did not verify: malformed, forged, expired, or not for this service.";
    2005 TOKEN_MISPLACED "token_misplaced",
        Medium Token Standard Denied 3002/3,
        "A token came where none may be: in a query, twice, or in a malformed header.";
    2006 ONE_TIME_TOKEN_USED "one_time_token_used",
        Medium Token Standard Success 3002/3,
        "A one-time token was used up: a link to reset a password, or to verify an address.";

    // 2100: sessions.
    2101 SESSION_CREATED "session_created",
        Low Session Standard Success 3002/1,
        "A session began.";
    2102 SESSION_RENEWED "session_renewed",
        Low Session Standard Success 3002/5,
        "A session was renewed.";
    2103 SESSION_EXPIRED "session_expired",
        Low Session Standard Success 3002/2,
        "A session ended by its age or by idleness.";
    2104 SESSION_LOGOUT "session_logout",
        Low Session Standard Success 3002/2,
        "Somebody ended their session.";
    2105 SESSION_USE_AFTER_EXPIRE "session_use_after_expire",
        Medium Session Standard Denied 3002/1,
        "A session was used after its end.";
    2106 SESSION_REVOKED "session_revoked",
        Medium Session Critical Success 3002/2,
        "A session was ended by somebody else or by a rule.";
    2107 SESSIONS_REVOKED "sessions_revoked",
        Medium Session Critical Success 3002/2,
        "All sessions of a subject were ended.";
    2108 EXCESS_SESSIONS_EXCEEDED "excess_sessions_exceeded",
        Medium Session Standard Denied 3002/1,
        "A subject has as many sessions as it may have.";
    2109 ALL_SESSIONS_REVOKED "all_sessions_revoked",
        High Session Critical Success 3002/2,
        "All sessions of everybody were ended.";

    // 2200: API keys.
    2201 API_KEY_CREATED "api_key_created",
        Medium Token Critical Success 3002/3,
        "An API key was made.";
    2202 API_KEY_REPLACED "api_key_replaced",
        Medium Token Critical Success 3002/3,
        "A new API key took the place of an old one.";
    2203 API_KEY_REVOKED "api_key_revoked",
        Medium Token Critical Success 3002/3,
        "An API key was ended.";

    // 3000: permissions. The first four are bartizan_core::code.
    3001 PERMISSION_GRANTED "permission_granted",
        Low Permission Standard Success 6003/99,
        "A permission was granted on a record.";
    3002 PERMISSION_DENIED "permission_denied" as "authz_fail",
        Medium Permission Standard Denied 6003/99,
        "A permission was denied.";
    3003 PERMISSION_UNDECIDED "permission_undecided",
        Medium Permission Standard Unknown 6003/99,
        "It could not be told whether a permission is granted.";
    3004 PAGE_DECIDED "page_decided",
        Low Permission Standard Success 6003/99,
        "A permission was decided for each record of a page.";
    3005 UNAUTHORIZED_ACCESS "unauthorized_access",
        Medium Permission Standard Denied 6003/99,
        "Something was asked for without a right to it.";
    3006 PRIVILEGE_ESCALATION "privilege_escalation",
        Critical Permission Critical Unknown 3005/1,
        "Somebody gained, or tried to gain, rights that they were not given.";
    3007 GRANT_MISUSED "grant_misused",
        High Permission Critical Denied 6003/99,
        "A grant was shown for a record, an authority or a time that it is not for.";

    // 3100: roles and policies.
    3101 AUTHZ_CHANGE "authz_change" as "privilege_permissions_changed",
        High Policy Critical Success 3005/3,
        "The roles or rights of a subject were changed.";
    3102 AUTHZ_ADMIN "authz_admin",
        Medium Policy Standard Success 3005/99,
        "An administrator used an administrator's right.";
    3103 POLICY_LOADED "policy_loaded",
        High Policy Critical Success 3004/10,
        "A policy came into force.";
    3104 POLICY_REFUSED "policy_refused",
        High Policy Critical Failure 3004/10,
        "A policy was malformed or contradictory and did not come into force.";
    3105 POLICY_STALE "policy_stale",
        High Policy Standard Failure 3004/2,
        "The policy is older than its staleness bound.";
    3106 BREAK_GLASS_OPENED "break_glass_opened",
        Critical Policy Critical Success 3005/3,
        "Somebody gave themself an emergency role.";
    3107 BREAK_GLASS_REVIEWED "break_glass_reviewed",
        High Policy Critical Success 3005/99,
        "A use of an emergency role was reviewed.";

    // 4000: fields and personal data.
    4001 SENSITIVE_CREATE "sensitive_create",
        Low Field Standard Success 6005/9,
        "Fields of a record were sealed for the first time.";
    4002 SENSITIVE_READ "sensitive_read",
        Low Field Standard Success 6005/10,
        "Sealed fields of a record were opened.";
    4003 SENSITIVE_UPDATE "sensitive_update",
        Low Field Standard Success 6005/2,
        "Sealed fields of a record were replaced.";
    4004 SENSITIVE_DELETE "sensitive_delete",
        Medium Field Standard Success 6005/7,
        "A record with sealed fields was deleted.";
    4005 CRYPT_DECRYPT_FAIL "crypt_decrypt_fail",
        Critical Field Critical Failure 6005/10,
        "A stored field or record seal does not verify: damaged, moved or forged.";
    4006 CRYPT_ENCRYPT_FAIL "crypt_encrypt_fail",
        High Field Standard Failure 6005/9,
        "Fields could not be sealed.";
    4007 FIELD_OPEN_REFUSED "field_open_refused",
        Medium Field Standard Denied 6005/10,
        "A sealed field was asked for that may not be shown in clear.";
    4008 FIELDS_RESEALED "fields_resealed",
        Low Field Standard Success 6005/2,
        "Sealed fields were sealed again under a newer key.";
    4009 SUBJECT_ERASED "subject_erased",
        High Field Critical Success 6005/7,
        "The key of a subject's data was destroyed, and with it the data.";
    4010 DATA_EXPORTED "data_exported",
        High Field Critical Success 6005/4,
        "Sealed data left the service in clear.";

    // 5000: keys.
    5001 KEY_CREATED "key_created",
        Medium Key Critical Success 3004/1,
        "A key was made.";
    5002 KEY_ACTIVATED "key_activated",
        Medium Key Critical Success 3004/10,
        "A key began to sign or seal.";
    5003 KEY_RETIRED "key_retired",
        Medium Key Critical Success 3004/11,
        "A key stopped signing or sealing and still checks or opens.";
    5004 KEY_REVOKED "key_revoked",
        High Key Critical Success 3004/9,
        "A key is believed no more.";
    5005 KEY_DESTROYED "key_destroyed",
        High Key Critical Success 3004/4,
        "A key was destroyed.";
    5006 KEY_ROTATED "key_rotated",
        Medium Key Critical Success 3004/3,
        "A new version of a key took over.";
    5007 KEY_UNWRAPPED "key_unwrapped",
        Low Key Standard Success 3004/2,
        "A wrapped key was opened for use.";
    5008 KEY_UNWRAP_FAILED "key_unwrap_failed",
        Critical Key Critical Failure 3004/2,
        "A wrapped key does not open: damaged, moved or wrapped by another key.";
    5009 KEY_REFUSED "key_refused",
        High Key Critical Denied 3004/2,
        "A key was refused: weak, of the wrong kind, or readable by others.";

    // 5100: secrets.
    5101 SECRET_READ "secret_read",
        Low Secret Standard Success 6005/1,
        "A secret was read from its provider.";
    5102 SECRET_ROTATED "secret_rotated",
        Medium Secret Critical Success 3004/3,
        "A new version of a secret took over.";
    5103 SECRET_ROTATION_FAILED "secret_rotation_failed",
        High Secret Critical Failure 3004/3,
        "A new version of a secret did not take over.";
    5104 SECRET_UNAVAILABLE "secret_unavailable",
        High Secret Standard Failure 6005/1,
        "A secret's provider did not answer.";
    5105 SECRET_REFUSED "secret_refused",
        High Secret Critical Denied 6005/1,
        "A secret was refused: missing, too weak, or a placeholder.";

    // 6000: the log itself.
    6001 LOG_STARTED "log_started",
        Low Log Critical Success 1008/6,
        "The audit log was opened for writing.";
    6002 LOG_STOPPED "log_stopped",
        Low Log Critical Success 1008/7,
        "The audit log was closed in order.";
    6003 LOG_ROTATED "log_rotated",
        Low Log Critical Success 1008/5,
        "The audit log went on in a new segment.";
    6004 LOG_RECOVERED "log_recovered",
        High Log Critical Success 1008/8,
        "The audit log was opened after an end that was not in order; unacknowledged bytes were set aside.";
    6005 LOG_GAP "log_gap",
        High Log Critical Failure 1008/99,
        "Events that may be dropped were dropped; their number stands in the record.";
    6006 LOG_VERIFIED "log_verified",
        Low Log Standard Success 1008/99,
        "The audit log was verified.";
    6007 LOG_CORRUPT "log_corrupt",
        Critical Log Critical Failure 2004/1,
        "The audit log does not verify.";
    6008 LOG_TRUNCATED "log_truncated",
        Critical Log Critical Failure 2004/1,
        "The audit log is shorter than was committed.";
    6009 LOG_UNAVAILABLE "log_unavailable",
        Critical Log Critical Failure 1008/10,
        "The audit log can take no events: disk full or failed.";
    6010 LOG_READ "log_read",
        Medium Log Standard Success 1008/99,
        "Somebody read the audit log.";
    6011 LOG_EXPORTED "log_exported",
        Medium Log Critical Success 1008/3,
        "A part of the audit log was exported.";

    // 6100: the service.
    6101 SYS_STARTUP "sys_startup",
        Low System Critical Success 6002/3,
        "The service started.";
    6102 SYS_SHUTDOWN "sys_shutdown",
        Low System Critical Success 6002/4,
        "The service stopped in order.";
    6103 SYS_CRASH "sys_crash",
        High System Critical Failure 6002/4,
        "The service stopped out of order.";
    6104 SYS_MONITOR_DISABLED "sys_monitor_disabled",
        High System Critical Success 6002/7,
        "A protection was switched off.";
    6105 SYS_MONITOR_ENABLED "sys_monitor_enabled",
        Medium System Critical Success 6002/6,
        "A protection was switched on.";
    6106 CONTROL_FAILED "control_failed",
        High System Critical Failure 6008/1,
        "A security control did not work: its store, key service, clock or randomness failed.";

    // 7000: what no honest client does.
    7001 SUSPICIOUS_ACTIVITY "suspicious_activity",
        High Misuse Standard Unknown 2004/1,
        "Something happened that deserves a look.";
    7002 DATA_BREACH_ATTEMPT "data_breach_attempt",
        Critical Misuse Critical Unknown 2006/1,
        "Somebody tried to get at data in bulk or around its protection.";
    7003 INPUT_VALIDATION_FAIL "input_validation_fail",
        Low Misuse Standard Denied 6003/99,
        "A request was malformed or beyond a limit.";
    7004 EXCESS_RATE_LIMIT_EXCEEDED "excess_rate_limit_exceeded",
        Medium Misuse Bulk Denied 6003/99,
        "A client asked more often than it may.";
    7005 MALICIOUS_DIRECT_REFERENCE "malicious_direct_reference",
        High Misuse Standard Denied 6003/99,
        "A record was asked for by its id across a tenant or owner border.";
    7006 MALICIOUS_CORS "malicious_cors",
        Medium Misuse Standard Denied 6003/99,
        "A browser asked on behalf of an origin that is not allowed.";
    7007 MALICIOUS_CSRF "malicious_csrf",
        High Misuse Standard Denied 6003/99,
        "A state-changing request came without proof that its own pages sent it.";
}
