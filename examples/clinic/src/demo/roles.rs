//! The steps about roles: given and taken while their holder is logged in, and the one for emergencies.

use serde_json::{Value, json};

use super::{
    app::App,
    client::Client,
    logins::member,
    road::{MAX, Road, Saw, expect, expect_code, json_of, text},
    step::{Trouble, must},
};

/// A patient of the north whose record is changed in an emergency.
const IDA: &str = "p-102";

/// Why, as it stands in the list that is reviewed.
const REASON: &str = "anaphylaxis on ward 3, no doctor in the house";

impl Road {
    pub(crate) async fn live_roles(&mut self) -> Saw {
        let (client, nurse, admin) = (self.client.clone(), self.nurse.clone(), self.admin.clone());
        let chief = member(&self.log_in_as("north", "vera").await?, "access_token")?;
        let role = |user: &str, role: &str| json!({ "user": user, "role": role, "days": 1, "reason": "covers for Ada" });
        sees_ssn(&client, &nurse, "***3402").await?;
        let refused = [
            ("a nurse who gives herself a role", &nurse, role("nils", "doctor"), 403, "FORBIDDEN"),
            ("an admin who gives what she is not", &admin, role("nils", "doctor"), 403, "FORBIDDEN"),
            ("an admin who makes a nurse an admin", &admin, role("nils", "admin"), 409, "CONFLICT"),
            ("a chief who gives herself a role", &chief, role("vera", "nurse"), 403, "FORBIDDEN"),
            ("a role for nobody", &chief, role("nobody", "nurse"), 404, "NOT_FOUND"),
            ("a role that is none", &chief, role("nils", "docter"), 400, "VALIDATION_ERROR"),
        ];
        for (what, token, body, status, expected) in refused {
            let answer = client.post("/roles", Some(token), &body).await?;
            expect_code(&answer, status, expected).map_err(|trouble| format!("{what}: {trouble}"))?;
        }
        expect(&client.post("/roles", Some(&chief), &role("nils", "doctor")).await?, 204)?;
        sees_ssn(&client, &nurse, "900-12-3402").await?;
        let me = client.get("/me", Some(&nurse)).await?;
        must(*json_of(&me).at("roles") == json!(["doctor", "nurse"]), || format!("/me says {}", text(&me)))?;
        expect(&client.delete("/roles/nils/doctor", Some(&chief)).await?, 204)?;
        sees_ssn(&client, &nurse, "***3402").await?;
        self.secrets.push(chief);
        Ok("the same token of a nurse: ssn ***3402, in clear from the request after a chief made him a doctor, and ***3402 again after she took it; 403 for an admin who gives what she is not, which is on record as an escalation, and 409 for a nurse who would keep the watch".to_owned())
    }

    pub(crate) async fn break_glass(&mut self) -> Saw {
        let (client, admin) = (self.client.clone(), self.admin.clone());
        let rescue = format!("/patients/{MAX}/rescue");
        let emergency = json!({ "minutes": 30, "reason": REASON });
        expect_code(&client.get(&rescue, Some(&self.nurse)).await?, 403, "FORBIDDEN")?;
        let weak = client.post("/emergencies", Some(&self.nurse), &emergency).await?;
        expect_code(&weak, 401, "STEP_UP_REQUIRED")?;

        let password = json!({ "password": self.password("north", "nils")? });
        let enrolled = client.post("/mfa/totp", Some(&self.nurse), &password).await?;
        expect(&enrolled, 200)?;
        let app = App::scanned(&member(&enrolled, "uri")?)?;
        let code = json!({ "code": app.code(0)? });
        let confirmed = client.post("/mfa/totp/confirm", Some(&self.nurse), &code).await?;
        expect(&confirmed, 200)?;
        self.nurse = member(&confirmed, "access_token")?;
        let nurse = self.nurse.clone();

        // Two factors alone are no emergency.
        expect_code(&client.get(&rescue, Some(&nurse)).await?, 403, "FORBIDDEN")?;
        let long = json!({ "minutes": 61, "reason": REASON });
        expect_code(&client.post("/emergencies", Some(&nurse), &long).await?, 400, "VALIDATION_ERROR")?;
        expect(&client.post("/emergencies", Some(&nurse), &emergency).await?, 201)?;
        let seen = client.get(&rescue, Some(&nurse)).await?;
        expect(&seen, 200)?;
        let fields = json_of(&seen);
        must(fields.at("ssn") == "900-12-3402" && *fields.at("masked") == json!(["creditCard"]), || {
            format!("in an emergency a nurse sees {}", text(&seen))
        })?;
        let change = json!({ "medicalRecord": "Pregnant, week 20. Adrenaline at 14:02." });
        expect(&client.patch(&format!("/patients/{IDA}"), Some(&nurse), &change).await?, 204)?;
        // What is no emergency shows no more than before.
        sees_ssn(&client, &nurse, "***3402").await?;

        expect_code(&client.get("/emergencies", Some(&self.doctor)).await?, 403, "FORBIDDEN")?;
        let review = "/emergencies/nils/review";
        expect_code(&client.post(review, Some(&nurse), &json!({})).await?, 403, "FORBIDDEN")?;
        let open = unreviewed(&client, &admin).await?;
        let is_it = |one: &Value| {
            one.get("user") == Some(&json!("nils")) && one.get("reason") == Some(&json!(REASON))
        };
        must(open.len() == 1 && open.iter().all(is_it), || format!("to be reviewed are {open:?}"))?;
        expect(&client.post(review, Some(&admin), &json!({})).await?, 204)?;
        must(unreviewed(&client, &admin).await?.is_empty(), || "a review did not end".to_owned())?;
        expect_code(&client.get(&rescue, Some(&nurse)).await?, 403, "FORBIDDEN")?;
        self.secrets.push(nurse);
        Ok("403 for a nurse, 401 STEP_UP_REQUIRED for one with a password alone, 201 after a second factor and with a reason; then the ssn in clear where he says that it is an emergency, and nowhere else; 403 again from the request after an admin's review".to_owned())
    }
}

async fn sees_ssn(client: &Client, token: &str, expected: &str) -> Result<(), Trouble> {
    let answer = client.get(&format!("/patients/{MAX}"), Some(token)).await?;
    expect(&answer, 200)?;
    let seen = json_of(&answer);
    must(seen.at("ssn") == expected, || format!("the ssn is {} and not {expected}", seen.at("ssn")))
}

async fn unreviewed(client: &Client, token: &str) -> Result<Vec<Value>, Trouble> {
    let answer = client.get("/emergencies", Some(token)).await?;
    expect(&answer, 200)?;
    Ok(json_of(&answer).at("emergencies").as_array().cloned().unwrap_or_default())
}
