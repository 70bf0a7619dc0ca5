//! Accounts: who may log in, with which role. Only hashes of passwords are stored.

use std::sync::Arc;

use bartizan::passwords::PasswordHash;
use bartizan_sqlite_writer::{Database, Error, Migration};
use rusqlite::{Connection, OptionalExtension, params};

/// An account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) tenant: String,
    pub(crate) user: String,
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

const TABLES: &[Migration] = &[Migration {
    version: 1,
    name: "accounts",
    sql: "CREATE TABLE accounts (
              tenant TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL,
              PRIMARY KEY (tenant, user)) STRICT",
}];

impl Accounts {
    pub(crate) async fn open(database: Arc<Database>) -> Result<Self, Error> {
        database.migrate("accounts", TABLES).await?;
        Ok(Self(database))
    }

    /// Adds an account, within somebody else's write.
    pub(crate) fn add(sql: &Connection, account: &Account) -> rusqlite::Result<usize> {
        let Account { tenant, user, role, hash } = account;
        sql.execute(
            "INSERT INTO accounts (tenant, user, role, password) VALUES (?1, ?2, ?3, ?4)",
            params![tenant, user, role, hash.to_phc()],
        )
    }

    /// Gives an account another password. False when there is no such account.
    pub(crate) async fn set_password(
        &self,
        tenant: &str,
        user: &str,
        hash: &PasswordHash,
    ) -> Result<bool, Error> {
        let row = (tenant.to_owned(), user.to_owned(), hash.to_phc());
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE accounts SET password = ?3 WHERE tenant = ?1 AND user = ?2",
                params![row.0, row.1, row.2],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    /// An account; nothing for an unknown one. A stored hash that cannot be read counts as damage, not as unknown.
    pub(crate) async fn find(&self, tenant: &str, user: &str) -> Result<Option<Found>, Error> {
        let key = (tenant.to_owned(), user.to_owned());
        let row: Option<(String, String)> = self
            .0
            .read(move |sql| {
                sql.query_row(
                    "SELECT role, password FROM accounts WHERE tenant = ?1 AND user = ?2",
                    params![key.0, key.1],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
            })
            .await?;
        Ok(row.map(|(role, phc)| match PasswordHash::parse(&phc) {
            Ok(hash) => Found::Account { role, hash },
            Err(_) => Found::Damaged,
        }))
    }

    /// Everybody's current role, for the policy: tenant, user, role.
    pub(crate) async fn roles(&self) -> Result<Vec<(String, String, String)>, Error> {
        self.0
            .read(|sql| {
                sql.prepare("SELECT tenant, user, role FROM accounts")?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect()
            })
            .await
    }
}

/// What a look-up finds.
#[derive(Debug)]
pub(crate) enum Found {
    Account { role: String, hash: PasswordHash },
    Damaged,
}
