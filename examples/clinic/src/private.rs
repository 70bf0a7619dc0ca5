//! What an account keeps that nobody may read in the database: the address and the second factor's secret.

use std::sync::Arc;

use bartizan::{
    core::{Basic, Covered, Mismatch, Pii, SecretText, Sensitive},
    field_crypto::{
        Bucket, Class, Error, Field, Fields, Opened, Place, Schema, Sealed, SealedRow, Shown, Type, Value,
    },
};
use bartizan_sqlite_writer::{self as sqlite, Database, Migration};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Both fields are always there and of one length: a thief of the database does not see who has a second factor.
const ACCOUNTS: Schema = Schema::new("account_data", KIND, Type::Text).sealed(&[
    Field::new(EMAIL, Type::Text, Class::Basic, Bucket::literal(256)),
    Field::new(TOTP, Type::Text, Class::Sensitive, Bucket::literal(128)),
]);

/// What permissions call it.
pub(crate) const KIND: &str = "account";

/// The fields. What the second factor's holds, `second_factor.rs` says.
pub(crate) const EMAIL: &str = "email";
pub(crate) const TOTP: &str = "totp";

/// An account's private data, on the way into the vault.
#[derive(Debug)]
pub(crate) struct Private {
    pub(crate) tenant: String,
    pub(crate) user: String,
    /// Empty for the accounts that the clinic starts with.
    pub(crate) email: Pii<String, Basic>,
    /// Empty without a second factor.
    pub(crate) totp: Pii<String, Sensitive>,
}

/// The same, opened.
#[derive(Debug)]
pub(crate) struct View {
    email: Shown<String, Basic>,
    totp: Shown<String, Sensitive>,
}

impl Private {
    /// Of an account that has neither.
    pub(crate) fn none(tenant: &str, user: &str) -> Self {
        Self::of(tenant, user, "")
    }

    /// Of an account with this address.
    pub(crate) fn of(tenant: &str, user: &str, email: &str) -> Self {
        let (email, totp) = (Pii::new(email.to_owned()), Pii::new(String::new()));
        Self { tenant: tenant.to_owned(), user: user.to_owned(), email, totp }
    }
}

impl Sealed for Private {
    type View = View;

    fn schema() -> &'static Schema {
        &ACCOUNTS
    }

    fn place(&self) -> Place<'_> {
        Place::new(&self.tenant, Value::Text(&self.user))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        to.put_pii(EMAIL, &self.email).put_pii(TOTP, &self.totp);
    }

    fn view(opened: &mut Opened<'_>) -> Result<View, Error> {
        Ok(View { email: opened.take(EMAIL)?, totp: opened.take(TOTP)? })
    }
}

impl View {
    pub(crate) fn email(&self, covered: Covered<'_>) -> Result<String, Mismatch> {
        Ok(self.email.text(covered)?.unwrap_or_default().to_owned())
    }

    pub(crate) fn totp(&self, covered: Covered<'_>) -> Result<SecretText, Mismatch> {
        Ok(SecretText::new(self.totp.text(covered)?.unwrap_or_default().to_owned()))
    }
}

/// The table of sealed account data. One row for each account.
#[derive(Clone, Debug)]
pub(crate) struct PrivateData(Arc<Database>);

const TABLES: &[Migration] = &[Migration {
    version: 1,
    name: "account data",
    sql: "CREATE TABLE account_data (
              tenant TEXT NOT NULL, user TEXT NOT NULL, version INTEGER NOT NULL,
              email BLOB NOT NULL, totp BLOB NOT NULL, record_seal BLOB NOT NULL,
              PRIMARY KEY (tenant, user)) STRICT",
}];

impl PrivateData {
    pub(crate) async fn open(database: Arc<Database>) -> Result<Self, sqlite::Error> {
        database.migrate("account_data", TABLES).await?;
        Ok(Self(database))
    }

    /// Adds a row, or puts it in the place of an older one, within somebody else's write.
    pub(crate) fn put(sql: &Connection, row: &SealedRow) -> rusqlite::Result<usize> {
        sql.execute(
            "INSERT OR REPLACE INTO account_data (tenant, user, version, email, totp, record_seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.tenant(), row.id(), version(row), row.cell(EMAIL), row.cell(TOTP), row.record_seal()],
        )
    }

    /// Adds a row.
    pub(crate) async fn add(&self, row: SealedRow) -> Result<(), sqlite::Error> {
        self.0.write(move |sql| Self::put(sql, &row)).await.map(|_| ())
    }

    /// Replaces a row, unless somebody else did since it was read.
    pub(crate) async fn replace(&self, old_version: u64, row: SealedRow) -> Result<bool, sqlite::Error> {
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE account_data SET version = ?3, email = ?4, totp = ?5, record_seal = ?6
                 WHERE tenant = ?1 AND user = ?2 AND version = ?7",
                params![
                    row.tenant(),
                    row.id(),
                    version(&row),
                    row.cell(EMAIL),
                    row.cell(TOTP),
                    row.record_seal(),
                    i64::try_from(old_version).unwrap_or(i64::MAX)
                ],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    pub(crate) async fn find(&self, tenant: &str, user: &str) -> Result<Option<SealedRow>, sqlite::Error> {
        let key = (tenant.to_owned(), user.to_owned());
        let found = self.0.read(move |sql| {
            sql.query_row(
                "SELECT tenant, user, version, email, totp, record_seal FROM account_data
                 WHERE tenant = ?1 AND user = ?2",
                params![key.0, key.1],
                sealed_row,
            )
            .optional()
        });
        found.await
    }
}

fn version(row: &SealedRow) -> i64 {
    i64::try_from(row.version()).unwrap_or(i64::MAX)
}

fn sealed_row(columns: &Row<'_>) -> rusqlite::Result<SealedRow> {
    let (tenant, user): (String, String) = (columns.get("tenant")?, columns.get("user")?);
    let version = u64::try_from(columns.get::<_, i64>("version")?).unwrap_or_default();
    let row =
        SealedRow::new(&tenant, Value::Text(&user), version).map_err(|_| rusqlite::Error::InvalidQuery)?;
    Ok(row
        .with_cell(EMAIL, columns.get::<_, Vec<u8>>(EMAIL)?)
        .with_cell(TOTP, columns.get::<_, Vec<u8>>(TOTP)?)
        .with_record_seal(columns.get::<_, Vec<u8>>("record_seal")?))
}
