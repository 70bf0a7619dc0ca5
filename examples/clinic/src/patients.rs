//! Where sealed patients are stored.

use std::sync::Arc;

use bartizan::field_crypto::{SealedRow, Value};
use bartizan_sqlite_writer::{Database, Error, Migration};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::patient::{CREDIT_CARD, MEDICAL_RECORD, NAME, OWNER, SEALED, SSN};

/// The table of patients: cells, the record seal, and the signed owner.
#[derive(Clone, Debug)]
pub(crate) struct Patients(Arc<Database>);

const TABLES: &[Migration] = &[Migration {
    version: 1,
    name: "patients",
    sql: "CREATE TABLE patients (
              id TEXT PRIMARY KEY, tenant TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT NOT NULL,
              name BLOB NOT NULL, ssn BLOB NOT NULL, creditCard BLOB NOT NULL, medicalRecord BLOB NOT NULL,
              record_seal BLOB NOT NULL) STRICT;
          CREATE INDEX patients_of_tenant ON patients (tenant, id)",
}];

const COLUMNS: &str = "id, tenant, version, owner, name, ssn, creditCard, medicalRecord, record_seal";

/// The most patients of one list.
pub(crate) const MAX_LIST: usize = 200;

impl Patients {
    pub(crate) async fn open(database: Arc<Database>) -> Result<Self, Error> {
        database.migrate("patients", TABLES).await?;
        Ok(Self(database))
    }

    /// Stores a new patient.
    pub(crate) async fn insert(&self, row: SealedRow) -> Result<(), Error> {
        self.0.write(move |sql| Self::add(sql, &row)).await.map(|_| ())
    }

    /// Stores a new patient, within somebody else's write.
    pub(crate) fn add(sql: &Connection, row: &SealedRow) -> rusqlite::Result<usize> {
        sql.execute(
            "INSERT INTO patients (id, tenant, version, owner, name, ssn, creditCard, medicalRecord, record_seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                row.id(),
                row.tenant(),
                version(row),
                owner(row),
                row.cell(NAME),
                row.cell(SSN),
                row.cell(CREDIT_CARD),
                row.cell(MEDICAL_RECORD),
                row.record_seal()
            ],
        )
    }

    /// Replaces a patient, unless somebody else did since it was read.
    pub(crate) async fn replace(&self, old_version: u64, row: SealedRow) -> Result<bool, Error> {
        let write = self.0.write(move |sql| {
            sql.execute(
                "UPDATE patients SET version = ?3, owner = ?4, name = ?5, ssn = ?6, creditCard = ?7, medicalRecord = ?8,
                        record_seal = ?9
                 WHERE id = ?1 AND tenant = ?2 AND version = ?10",
                params![
                    row.id(),
                    row.tenant(),
                    version(&row),
                    owner(&row),
                    row.cell(NAME),
                    row.cell(SSN),
                    row.cell(CREDIT_CARD),
                    row.cell(MEDICAL_RECORD),
                    row.record_seal(),
                    i64::try_from(old_version).unwrap_or(i64::MAX)
                ],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    /// Erases a patient, unless somebody changed it since it was read.
    pub(crate) async fn delete(&self, id: &str, tenant: &str, at: u64) -> Result<bool, Error> {
        let key = (id.to_owned(), tenant.to_owned(), i64::try_from(at).unwrap_or(i64::MAX));
        let write = self.0.write(move |sql| {
            sql.execute(
                "DELETE FROM patients WHERE id = ?1 AND tenant = ?2 AND version = ?3",
                params![key.0, key.1, key.2],
            )
        });
        write.await.map(|changed| changed == 1)
    }

    /// A patient of any tenant: whose it is, is for the authorizer to judge, so that the attempt is on record.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<SealedRow>, Error> {
        let id = id.to_owned();
        let found = self.0.read(move |sql| {
            sql.query_row(&format!("SELECT {COLUMNS} FROM patients WHERE id = ?1"), [id], sealed_row)
                .optional()
        });
        found.await
    }

    /// The patients of a tenant after `after`, in the order of their ids, at most [`MAX_LIST`].
    pub(crate) async fn list(&self, tenant: &str, after: &str) -> Result<Vec<SealedRow>, Error> {
        let key = (tenant.to_owned(), after.to_owned());
        let found = self.0.read(move |sql| {
            sql.prepare(&format!(
                "SELECT {COLUMNS} FROM patients WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT {MAX_LIST}"
            ))?
            .query_map(params![key.0, key.1], sealed_row)?
            .collect()
        });
        found.await
    }
}

fn version(row: &SealedRow) -> i64 {
    i64::try_from(row.version()).unwrap_or(i64::MAX)
}

fn owner(row: &SealedRow) -> String {
    match row.clear(OWNER) {
        Some(Value::Text(owner)) => owner.to_owned(),
        _ => String::new(),
    }
}

fn sealed_row(columns: &Row<'_>) -> rusqlite::Result<SealedRow> {
    let (id, tenant, owner): (String, String, String) =
        (columns.get("id")?, columns.get("tenant")?, columns.get("owner")?);
    let version = u64::try_from(columns.get::<_, i64>("version")?).unwrap_or_default();
    let damaged = |_| rusqlite::Error::InvalidQuery;
    let mut row = SealedRow::new(&tenant, Value::Text(&id), version).map_err(damaged)?;
    for name in SEALED {
        row = row.with_cell(name, columns.get::<_, Vec<u8>>(name)?);
    }
    Ok(row
        .with_clear(OWNER, Value::Text(&owner))
        .map_err(damaged)?
        .with_record_seal(columns.get::<_, Vec<u8>>("record_seal")?))
}
