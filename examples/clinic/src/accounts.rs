//! Accounts: who may log in. Only hashes of passwords are stored.

use std::sync::Arc;

use bartizan::{core::Revision, field_crypto::SealedRow, passwords::PasswordHash};
use bartizan_sqlite_writer::{Database, Error, Migration};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{private::PrivateData, roles::Roles};

/// An account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) tenant: String,
    pub(crate) user: String,
    /// What it begins with; what is held since then, `roles.rs` knows.
    pub(crate) role: String,
    pub(crate) hash: PasswordHash,
}

impl Account {
    /// Tenant, user, role.
    pub(crate) fn role(&self) -> (String, String, String) {
        (self.tenant.clone(), self.user.clone(), self.role.clone())
    }
}

/// The table of accounts.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(Arc<Database>);

const TABLES: &[Migration] = &[
    Migration {
        version: 1,
        name: "accounts",
        sql: "CREATE TABLE accounts (
                  tenant TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL,
                  PRIMARY KEY (tenant, user)) STRICT",
    },
    Migration {
        version: 2,
        name: "verified addresses and recovery codes",
        sql: "ALTER TABLE accounts ADD COLUMN verified INTEGER NOT NULL DEFAULT 1;
              ALTER TABLE accounts ADD COLUMN recovery TEXT",
    },
];

impl Accounts {
    pub(crate) async fn open(database: Arc<Database>) -> Result<Self, Error> {
        database.migrate("accounts", TABLES).await?;
        Ok(Self(database))
    }

    /// Adds an account and the role that it begins with, within somebody else's write.
    pub(crate) fn add(sql: &Connection, account: &Account) -> rusqlite::Result<Revision> {
        let Account { tenant, user, role, hash } = account;
        sql.execute(
            "INSERT INTO accounts (tenant, user, role, password) VALUES (?1, ?2, ?3, ?4)",
            params![tenant, user, role, hash.to_phc()],
        )?;
        Roles::add(sql, tenant, user, role)
    }

    /// Whether there is such a tenant: keys are made for those alone.
    pub(crate) async fn has_tenant(&self, tenant: &str) -> Result<bool, Error> {
        let tenant = tenant.to_owned();
        let found = self.0.read(move |sql| {
            sql.query_row("SELECT EXISTS (SELECT 1 FROM accounts WHERE tenant = ?1)", [tenant], |row| {
                row.get(0)
            })
        });
        found.await
    }

    /// Adds an account whose address is not verified yet, with its sealed data, in the place of one of that name that nobody has
    /// verified. False when the name is taken.
    ///
    /// SECURITY: a name that owns a patient's record is taken. Else anybody could register as somebody who is a patient and has
    /// no account yet, and would find their record their own.
    pub(crate) async fn register(&self, account: Account, private: SealedRow) -> Result<bool, Error> {
        let write = self.0.write(move |sql| {
            let Account { tenant, user, role, hash } = &account;
            let added = sql.execute(
                "INSERT INTO accounts (tenant, user, role, password, verified) SELECT ?1, ?2, ?3, ?4, 0
                 WHERE NOT EXISTS (SELECT 1 FROM patients WHERE tenant = ?1 AND owner = ?2)
                 ON CONFLICT (tenant, user) DO UPDATE SET role = excluded.role, password = excluded.password
                 WHERE verified = 0",
                params![tenant, user, role, hash.to_phc()],
            )?;
            if added == 1 {
                PrivateData::put(sql, &private)?;
            }
            Ok(added == 1)
        });
        write.await
    }

    /// From now on its owner can log in, if the account still has the password that it was registered with, and holds the role that
    /// was registered. Answers the revision of the roles that says so.
    pub(crate) async fn verified(
        &self,
        tenant: &str,
        user: &str,
        registered: &PasswordHash,
    ) -> Result<Option<Revision>, Error> {
        let key = (tenant.to_owned(), user.to_owned(), registered.to_phc());
        let write = self.0.write(move |sql| {
            let role: Option<String> = sql
                .query_row(
                    "UPDATE accounts SET verified = 1 WHERE tenant = ?1 AND user = ?2 AND password = ?3 RETURNING role",
                    params![key.0, key.1, key.2],
                    |row| row.get(0),
                )
                .optional()?;
            role.map(|role| Roles::add(sql, &key.0, &key.1, &role)).transpose()
        });
        write.await
    }

    /// Gives an account another password. With `old`, only while that hash still stands there. False when nothing was changed.
    pub(crate) async fn set_password(
        &self,
        tenant: &str,
        user: &str,
        old: Option<&PasswordHash>,
        hash: &PasswordHash,
    ) -> Result<bool, Error> {
        let row = (tenant.to_owned(), user.to_owned(), hash.to_phc(), old.map(PasswordHash::to_phc));
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE accounts SET password = ?3 WHERE tenant = ?1 AND user = ?2 AND password = coalesce(?4, password)",
                params![row.0, row.1, row.2, row.3],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    /// Gives an account other recovery codes, or none.
    pub(crate) async fn set_recovery(
        &self,
        tenant: &str,
        user: &str,
        new: Option<&str>,
    ) -> Result<(), Error> {
        let row = (tenant.to_owned(), user.to_owned(), new.map(str::to_owned));
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE accounts SET recovery = ?3 WHERE tenant = ?1 AND user = ?2",
                params![row.0, row.1, row.2],
            )
        });
        write.await.map(drop)
    }

    /// Takes one of the recovery codes away, unless somebody else changed them meanwhile.
    pub(crate) async fn use_recovery(
        &self,
        tenant: &str,
        user: &str,
        old: &str,
        rest: &str,
    ) -> Result<bool, Error> {
        let row = (tenant.to_owned(), user.to_owned(), old.to_owned(), rest.to_owned());
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE accounts SET recovery = ?4 WHERE tenant = ?1 AND user = ?2 AND recovery = ?3",
                params![row.0, row.1, row.2, row.3],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    /// An account; nothing for an unknown one. A stored hash that cannot be read counts as damage, not as unknown.
    pub(crate) async fn find(&self, tenant: &str, user: &str) -> Result<Option<Found>, Error> {
        let key = (tenant.to_owned(), user.to_owned());
        let row: Option<(String, bool, Option<String>)> = self
            .0
            .read(move |sql| {
                sql.query_row(
                    "SELECT password, verified, recovery FROM accounts WHERE tenant = ?1 AND user = ?2",
                    params![key.0, key.1],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()
            })
            .await?;
        Ok(row.map(|(phc, is_verified, recovery)| match PasswordHash::parse(&phc) {
            Ok(hash) => Found::Account(Stored { hash, is_verified, recovery }),
            Err(_) => Found::Damaged,
        }))
    }

    /// The accounts that have no sealed data yet: those of a clinic that was started before there was any.
    pub(crate) async fn bare(&self) -> Result<Vec<(String, String)>, Error> {
        self.0
            .read(|sql| {
                sql.prepare(
                    "SELECT tenant, user FROM accounts a WHERE NOT EXISTS
                     (SELECT 1 FROM account_data d WHERE d.tenant = a.tenant AND d.user = a.user)",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
            })
            .await
    }

    /// Everybody who can log in: tenant, user, and the role that they began with.
    pub(crate) async fn all(&self) -> Result<Vec<(String, String, String)>, Error> {
        self.0
            .read(|sql| {
                sql.prepare("SELECT tenant, user, role FROM accounts WHERE verified = 1")?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect()
            })
            .await
    }
}

/// What a look-up finds.
#[derive(Debug)]
pub(crate) enum Found {
    Account(Stored),
    Damaged,
}

/// An account, as it is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) hash: PasswordHash,
    pub(crate) is_verified: bool,
    /// The set of recovery codes, as hashes.
    pub(crate) recovery: Option<String>,
}
