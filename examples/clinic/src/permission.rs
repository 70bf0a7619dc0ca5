//! What the clinic asks for. The policy file has to know exactly these: see `parse_for`.

use bartizan::rbac::Permissions;

/// A permission of the clinic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Permissions)]
#[permissions(crate = "bartizan::rbac")]
pub(crate) enum May {
    /// See who the patients are.
    #[permission("patient:list")]
    ListPatients,
    /// Make a patient.
    #[permission("patient:create")]
    CreatePatient,
    /// See a patient's record.
    #[permission("patient:read", scopes(own, all))]
    ReadPatient,
    /// Change a patient's record.
    #[permission("patient:update")]
    UpdatePatient,
    /// Erase a patient, for good.
    #[permission("patient:delete", critical)]
    ErasePatient,
    /// See a patient's record in an emergency.
    #[permission("patient:rescue", critical)]
    RescuePatient,
    /// Read the audit log.
    #[permission("audit:read")]
    ReadAudit,
    /// Verify the audit log.
    #[permission("audit:verify")]
    VerifyAudit,
    /// Give and take roles, and review emergencies.
    #[permission("role:assign", critical)]
    AssignRoles,
}
