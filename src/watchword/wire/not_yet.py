"""The operations of Twilio's specification that nobody serves yet: they answer 404."""

NOT_YET: tuple[tuple[str, str, str], ...] = (  # method, path, operation
    ("GET", "/v2/Forms/{FormType}", "FetchForm"),
    ("POST", "/v2/Services/{ServiceSid}/AccessTokens", "CreateAccessToken"),
    ("GET", "/v2/Services/{ServiceSid}/AccessTokens/{Sid}", "FetchAccessToken"),
    ("GET", "/v2/Services/{ServiceSid}/Entities", "ListEntity"),
    ("POST", "/v2/Services/{ServiceSid}/Entities", "CreateEntity"),
    ("DELETE", "/v2/Services/{ServiceSid}/Entities/{Identity}", "DeleteEntity"),
    ("GET", "/v2/Services/{ServiceSid}/Entities/{Identity}", "FetchEntity"),
    ("GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges", "ListChallenge"),
    ("POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges", "CreateChallenge"),
    (
        "POST",
        "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{ChallengeSid}/Notifications",
        "CreateNotification",
    ),
    ("GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}", "FetchChallenge"),
    ("POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges/{Sid}", "UpdateChallenge"),
    ("GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors", "ListFactor"),
    ("POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors", "CreateNewFactor"),
    ("DELETE", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", "DeleteFactor"),
    ("GET", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", "FetchFactor"),
    ("POST", "/v2/Services/{ServiceSid}/Entities/{Identity}/Factors/{Sid}", "UpdateFactor"),
    ("POST", "/v2/Services/{ServiceSid}/Passkeys/ApproveChallenge", "UpdateChallengePasskeys"),
    ("POST", "/v2/Services/{ServiceSid}/Passkeys/Challenges", "CreateChallengePasskeys"),
    ("POST", "/v2/Services/{ServiceSid}/Passkeys/Factors", "CreateNewFactorPasskey"),
    ("POST", "/v2/Services/{ServiceSid}/Passkeys/VerifyFactor", "UpdatePasskeysFactor"),
)
