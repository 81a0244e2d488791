# ruff: noqa: E501 - a table, one route a line
"""The one table of routes: method, path, what answers, and who may come.

A route that is not here does not exist: the guard works from this table, before the application.
Beyond the role, what belongs to a project or a reader is looked for among what is theirs; what is
not is not found (404), so that nobody learns that it is there.
"""

from __future__ import annotations

from typing import Any

from overread.web import oidc, schemas
from overread.web import schemas_auto_labels as auto
from overread.web import schemas_check as checked
from overread.web import schemas_feedback as again
from overread.web import schemas_lead as lead
from overread.web import schemas_onboarding as before
from overread.web import schemas_pre_label as proposed
from overread.web import schemas_quality as quality
from overread.web import schemas_reports as told
from overread.web import schemas_rules as rules
from overread.web.access.roles import ANYONE, LEADS, MEGA, READERS, Route
from overread.web.api import (
    account,
    adjudication,
    cases,
    describe,
    exports,
    feedback,
    projects,
    tasks,
    uploads,
)
from overread.web.api import auto_labels as auto_api
from overread.web.api import label_rules as rules_api
from overread.web.api import onboarding as onboarding_api
from overread.web.api import people as people_api
from overread.web.api import pre_label as pre_label_api
from overread.web.api import protocol_change as changes_api
from overread.web.api import truthing as truthing_api
from overread.web.pages import account as account_pages
from overread.web.pages import adjudication as adjudication_pages
from overread.web.pages import (
    atlas,
    imports,
    login_link,
    onboarding,
    own_account,
    people,
    protocol,
    read,
    reports,
    work,
)
from overread.web.pages import auto_labels as auto_pages
from overread.web.pages import cases as case_pages
from overread.web.pages import disagreement as disagreement_pages
from overread.web.pages import effort as effort_pages
from overread.web.pages import encoders as encoder_pages
from overread.web.pages import exports as export_pages
from overread.web.pages import feedback as feedback_pages
from overread.web.pages import label_rules as rules_pages
from overread.web.pages import learning as learning_pages
from overread.web.pages import plan as plan_pages
from overread.web.pages import pre_label_models as model_pages
from overread.web.pages import pre_labels as pre_label_pages
from overread.web.pages import projects as project_pages
from overread.web.pages import quality as quality_pages
from overread.web.pages import truthing as truthing_pages

_ANSWER = 32 * MEGA  # masks of many frames

_API = (
    Route("POST", "/api/login", account.login, ANYONE, schemas.Me, operation="logIn"),
    Route("POST", "/api/links/{token}", people_api.join, ANYONE, schemas.Me, operation="joinByLink", status=201),
    Route("POST", "/api/logout", account.logout, READERS, schemas.Nothing, operation="logOut"),
    Route("GET", "/api/me", account.me, READERS, schemas.Me, operation="whoAmI"),
    Route("GET", "/api/openapi.json", describe.openapi, READERS, dict[str, Any], operation="describeApi"),
    Route("POST", "/api/invitations", people_api.invitation, LEADS, lead.InvitationOut, operation="inviteSomebody", status=201),
    Route("GET", "/api/projects", projects.projects, READERS, list[schemas.ProjectOut], operation="listProjects"),
    Route("POST", "/api/projects", projects.create, LEADS, lead.ProjectMadeOut, 2 * MEGA, operation="createProject", status=201, errors={422: schemas.ProtocolErrorOut}),
    Route("GET", "/api/projects/{project}/protocol", projects.protocol, READERS, schemas.ProtocolOut, operation="getProtocol"),
    Route("GET", "/api/projects/{project}/progress", projects.progress, READERS, schemas.ProgressOut, operation="getMyProgress"),
    Route("POST", "/api/projects/{project}/claim", projects.claim, READERS, schemas.TasksOut, operation="claimTasks"),
    Route("GET", "/api/projects/{project}/onboarding", onboarding_api.standing, READERS, before.OnboardingOut, operation="getMyOnboarding"),
    Route("POST", "/api/projects/{project}/dry-run", onboarding_api.next_case, READERS, before.DryRunOut, operation="nextTrial"),
    Route("POST", "/api/trials/{trial}/submit", onboarding_api.answer, READERS, before.TrialResultOut, _ANSWER, operation="submitTrial"),
    Route("POST", "/api/trials/{trial}/dispute", onboarding_api.dispute, READERS, schemas.Nothing, operation="disputeGold"),
    Route("GET", "/api/projects/{project}/feedback", feedback.mine, READERS, again.FeedbackOut, operation="getMyFeedback"),
    Route("POST", "/api/projects/{project}/feedback/{case}/seen", feedback.seen, READERS, schemas.Nothing, operation="sawFeedback"),
    Route("GET", "/api/projects/{project}/reads/mine", projects.mine, READERS, list[schemas.OwnReadOut], operation="listMyReads"),
    Route("GET", "/api/projects/{project}/atlas/{entry}/image", cases.atlas_image, READERS, gives="image/png", operation="getAtlasImage"),
    Route("GET", "/api/projects/{project}/cases", cases.cases, LEADS, schemas.CasesOut, operation="listCases"),
    Route("GET", "/api/projects/{project}/members", people_api.members, LEADS, lead.MembersOut, operation="listMembers"),
    Route("PUT", "/api/projects/{project}/members", people_api.set_members, LEADS, lead.MembersOut, operation="setReaders"),
    Route("GET", "/api/projects/{project}/uploads/{upload}", uploads.upload, LEADS, lead.UploadOut, operation="getUpload"),
    Route("PUT", "/api/projects/{project}/uploads/{upload}/files/{sha256}", uploads.upload_file, LEADS, lead.FileKeptOut, 4096 * MEGA, operation="uploadFile", takes="application/octet-stream"),
    Route("POST", "/api/projects/{project}/uploads/{upload}/import", uploads.import_files, LEADS, lead.JobOut, 32 * MEGA, operation="importUpload", status=202),
    Route("GET", "/api/projects/{project}/imports", imports.imports, LEADS, lead.ImportsOut, operation="listImports"),
    Route("POST", "/api/projects/{project}/exports", exports.begin, LEADS, lead.ExportOut, operation="beginExport", status=202),
    Route("GET", "/api/projects/{project}/exports", exports.exports, LEADS, lead.ExportsOut, operation="listExports"),
    Route("GET", "/api/projects/{project}/exports/{export}", exports.export, LEADS, lead.ExportOut, operation="getExport"),
    Route("GET", "/api/projects/{project}/exports/{export}/file", exports.file, LEADS, gives="application/octet-stream", operation="downloadExport"),
    Route("GET", "/api/projects/{project}/exports/{export}/manifest", exports.manifest, LEADS, gives="application/json", operation="downloadManifest"),
    Route("POST", "/api/projects/{project}/exports/{export}/stop", exports.stop, LEADS, lead.ExportOut, operation="stopExport"),
    Route("POST", "/api/projects/{project}/truthing", truthing_api.begin, LEADS, lead.JobOut, operation="beginTruthing", status=202),
    Route("GET", "/api/projects/{project}/truthing", truthing_api.reports, LEADS, told.TruthingsOut, operation="listTruthing"),
    Route("GET", "/api/projects/{project}/truthing/{report}/{form}", truthing_api.file, LEADS, gives="application/octet-stream", operation="downloadTruthing"),
    Route("POST", "/api/projects/{project}/truthing/{report}/stop", truthing_api.stop, LEADS, lead.JobOut, operation="stopTruthing"),
    Route("POST", "/api/projects/{project}/label-rules", rules_api.begin, LEADS, lead.JobOut, operation="beginLabelCheck", status=202),
    Route("GET", "/api/projects/{project}/label-rules", rules_api.checks, LEADS, rules.LabelChecksOut, operation="getLabelChecks"),
    Route("GET", "/api/projects/{project}/label-rules/found", rules_api.found, LEADS, rules.FoundOut, operation="getLabelHints"),
    Route("POST", "/api/projects/{project}/label-rules/{check}/stop", rules_api.stop, LEADS, lead.JobOut, operation="stopLabelCheck"),
    Route("GET", "/api/cases/{case}/frames/{number}", cases.frame, READERS, gives="application/octet-stream", operation="getFrame"),
    Route("GET", "/api/cases/{case}/thumbnail", cases.thumbnail, READERS, gives="image/png", operation="getThumbnail"),
    Route("GET", "/api/cases/{case}/pictures/{number}", cases.picture, READERS, gives="image/png", operation="getPicture"),
    Route("GET", "/api/cases/{case}/reads", cases.reads, LEADS, schemas.CaseReadsOut, operation="listReadsOfCase"),
    Route("GET", "/api/cases/{case}/consensus", cases.consensus, LEADS, schemas.ConsensusOut, operation="getConsensusOfCase"),
    Route("POST", "/api/projects/{project}/protocol/changes", changes_api.effect, LEADS, quality.EffectOut, 2 * MEGA, operation="compareProtocol", errors={422: schemas.ProtocolErrorOut}),
    Route("POST", "/api/projects/{project}/protocol/versions", changes_api.save, LEADS, quality.RuledOut, 2 * MEGA, operation="saveProtocol", status=201, errors={422: schemas.ProtocolErrorOut}),
    Route("POST", "/api/projects/{project}/protocol/versions/{version}/ruling", changes_api.rule, LEADS, quality.RuledOut, operation="ruleOnVersion"),
    Route("GET", "/api/projects/{project}/conformity", changes_api.proof, LEADS, quality.ConformityOut, operation="getConformity"),
    Route("GET", "/api/projects/{project}/adjudications", adjudication.waiting, READERS, quality.AdjudicationsOut, operation="listAdjudications"),
    Route("POST", "/api/projects/{project}/adjudications", adjudication.open_, READERS, quality.AdjudicationOut, operation="openAdjudication"),
    Route("GET", "/api/adjudications/{adjudication}", adjudication.adjudication, READERS, quality.AdjudicationOut, operation="getAdjudication"),
    Route("POST", "/api/adjudications/{adjudication}/decide", adjudication.decide, READERS, schemas.Nothing, _ANSWER, operation="decideCase"),
    Route("POST", "/api/adjudications/{adjudication}/send-back", adjudication.send_back, READERS, quality.SentBackOut, operation="sendCaseBack"),
    Route("GET", "/api/projects/{project}/pre-labels", pre_label_api.pre_labels, LEADS, proposed.PreLabelsOut, operation="getPreLabels"),
    Route("POST", "/api/projects/{project}/pre-labels", pre_label_api.bring, LEADS, proposed.PreLabelsKeptOut, _ANSWER, operation="bringPreLabels", status=201),
    Route("POST", "/api/tasks/{task}/pre-label", pre_label_api.ask, READERS, proposed.PreLabelOut, operation="askPreLabel"),
    Route("POST", "/api/tasks/{task}/hints", pre_label_api.hints, READERS, proposed.HintsOut, operation="askHints"),
    Route("GET", "/api/projects/{project}/auto-labels/strip", auto_api.strip, READERS, auto.StripOut, operation="getFilmStrip"),
    Route("POST", "/api/projects/{project}/auto-labels/review", auto_api.review, READERS, auto.ChangedOut, operation="reviewAutoLabels"),
    Route("POST", "/api/projects/{project}/auto-labels/accept-rest", auto_api.accept_rest, READERS, auto.ChangedOut, operation="acceptRest"),
    Route("GET", "/api/projects/{project}/certificates", auto_api.certificates, LEADS, auto.LabelCertificatesOut, operation="listCertificates"),
    Route("GET", "/api/projects/{project}/certificates/{certificate}", auto_api.certificate, LEADS, gives="application/json", operation="downloadCertificate"),
    Route("POST", "/api/tasks/{task}/heartbeat", tasks.heartbeat, READERS, schemas.LeaseOut, operation="keepLease"),
    Route("POST", "/api/tasks/{task}/skip", tasks.skip, READERS, schemas.Nothing, operation="skipTask"),
    Route("POST", "/api/tasks/{task}/release", tasks.release, READERS, schemas.Nothing, operation="releaseTask"),
    Route("PUT", "/api/tasks/{task}/draft", tasks.draft, READERS, schemas.VersionOut, _ANSWER, operation="saveDraft", errors={409: schemas.ConflictOut}),
    Route("POST", "/api/tasks/{task}/check", tasks.check, READERS, checked.CheckOut, _ANSWER, operation="checkAnswer"),
    Route("POST", "/api/tasks/{task}/submit", tasks.submit, READERS, schemas.ReceiptOut, _ANSWER, operation="submitRead", errors={409: schemas.ConflictOut}),
)  # fmt: skip

_PAGES = (
    Route("GET", "/", account_pages.start, ANYONE),
    Route("GET", "/static/{path:path}", read.static_file, ANYONE),
    Route("GET", "/login", account_pages.login_page, ANYONE),
    Route("POST", "/login", account_pages.login, ANYONE),
    Route("GET", "/login/sign-on", oidc.begin, ANYONE),
    Route("GET", "/login/sign-on/back", oidc.back, ANYONE),
    Route("GET", "/login/link/{token}", login_link.login_link_page, ANYONE),
    Route("POST", "/login/link/{token}", login_link.use_login_link, ANYONE),
    Route("POST", "/logout", account_pages.logout, READERS),
    Route("GET", "/set-up/{token}", account_pages.set_up_page, ANYONE),
    Route("POST", "/set-up/{token}", account_pages.set_up, ANYONE),
    Route("GET", "/invitation/{token}", account_pages.invitation_page, ANYONE),
    Route("POST", "/invitation/{token}", account_pages.accept_invitation, ANYONE),
    Route("GET", "/home", project_pages.home, READERS),
    Route("GET", "/read/{project}", read.read_page, READERS),
    Route("GET", "/projects", project_pages.projects, LEADS),
    Route("GET", "/projects/new", project_pages.new_page, LEADS),
    Route("POST", "/projects/new", project_pages.new, LEADS, most=2 * MEGA),
    Route("GET", "/projects/{project}", project_pages.project, LEADS),
    Route("GET", "/projects/{project}/cases", case_pages.cases, LEADS),
    Route("GET", "/projects/{project}/protocol", protocol.protocol_page, LEADS),
    Route("POST", "/projects/{project}/protocol", protocol.protocol, LEADS, most=2 * MEGA),
    Route("POST", "/projects/{project}/protocol/rule", protocol.rule, LEADS),
    Route("GET", "/projects/{project}/import", imports.import_page, LEADS),
    Route("POST", "/projects/{project}/import", imports.upload, LEADS, most=imports.MOST_BYTES),
    Route("POST", "/projects/{project}/import/folder", imports.from_folder, LEADS),
    Route("POST", "/projects/{project}/import/patients", imports.preview, LEADS, most=32 * MEGA),
    Route("POST", "/projects/{project}/import/stop", imports.stop, LEADS),
    Route("GET", "/projects/{project}/members", project_pages.members_page, LEADS),
    Route("POST", "/projects/{project}/members", project_pages.members, LEADS),
    Route("GET", "/projects/{project}/export", export_pages.export_page, LEADS),
    Route("POST", "/projects/{project}/export", export_pages.begin, LEADS),
    Route("GET", "/projects/{project}/disagreement", disagreement_pages.disagreement_page, LEADS),
    Route("POST", "/projects/{project}/disagreement", disagreement_pages.send, LEADS),
    Route("GET", "/projects/{project}/effort", effort_pages.effort_page, LEADS),
    Route("POST", "/projects/{project}/effort", effort_pages.terms, LEADS),
    Route("GET", "/projects/{project}/effort.csv", effort_pages.table, LEADS),
    Route("GET", "/projects/{project}/truthing", truthing_pages.truthing_page, LEADS),
    Route("POST", "/projects/{project}/truthing", truthing_pages.begin, LEADS),
    Route("GET", "/projects/{project}/truthing/{report}", truthing_pages.shown, LEADS),
    Route("GET", "/projects/{project}/auto-labels", auto_pages.auto_labels_page, LEADS),
    Route("POST", "/projects/{project}/auto-labels", auto_pages.act, LEADS),
    Route("GET", "/projects/{project}/review", auto_pages.film_page, READERS),
    Route(
        "GET", "/projects/{project}/certificates/{certificate}", auto_pages.certificate_page, LEADS
    ),
    Route("GET", "/cases/{case}", case_pages.case, LEADS),
    Route("GET", "/reports/{path:path}", reports.report, LEADS),
    Route("GET", "/projects/{project}/adjudication", adjudication_pages.list_page, READERS),
    Route("GET", "/projects/{project}/adjudication/{case}", adjudication_pages.case_page, READERS),
    Route("POST", "/cases/{case}/reference/withdraw", adjudication_pages.withdraw, LEADS),
    Route("POST", "/cases/{case}/more", work.one_more, LEADS),
    Route("GET", "/projects/{project}/guideline", atlas.guideline_page, LEADS),
    Route("POST", "/projects/{project}/guideline", atlas.guideline, LEADS, most=2 * MEGA),
    Route("GET", "/projects/{project}/atlas", atlas.atlas_page, LEADS),
    Route("POST", "/projects/{project}/atlas", atlas.add, LEADS, most=atlas.MOST_BYTES),
    Route("POST", "/projects/{project}/atlas/{entry}/remove", atlas.remove, LEADS),
    Route("GET", "/projects/{project}/work", work.work_page, LEADS),
    Route("POST", "/projects/{project}/work/repeat", work.repeat, LEADS),
    Route("POST", "/tasks/{task}/move", work.move, LEADS),
    Route("POST", "/tasks/{task}/free", work.free, LEADS),
    Route("POST", "/reads/{read}/reply", work.reply, LEADS),
    Route("GET", "/projects/{project}/onboarding", onboarding.onboarding_page, LEADS),
    Route("POST", "/projects/{project}/onboarding/exempt", onboarding.exempt, LEADS),
    Route("POST", "/projects/{project}/onboarding/certificates", onboarding.certificates, LEADS),
    Route("POST", "/projects/{project}/onboarding/profile", onboarding.profile, LEADS),
    Route("POST", "/projects/{project}/onboarding/hidden", onboarding.hidden, LEADS),
    Route("POST", "/projects/{project}/gold/{gold}/retire", onboarding.retire, LEADS),
    Route("POST", "/projects/{project}/disputes/{dispute}/settle", onboarding.settle, LEADS),
    Route("POST", "/cases/{case}/gold", onboarding.make_gold, LEADS),
    Route("POST", "/account/profile", onboarding.own_profile, READERS),
    Route("GET", "/projects/{project}/plan", plan_pages.plan_page, LEADS),
    Route("POST", "/projects/{project}/plan", plan_pages.plan, LEADS),
    Route("GET", "/projects/{project}/learning", learning_pages.learning_page, LEADS),
    Route("POST", "/projects/{project}/learning", learning_pages.settle, LEADS),
    Route(
        "POST", "/projects/{project}/encoders", encoder_pages.upload, LEADS, most=encoder_pages.MOST
    ),
    Route("POST", "/projects/{project}/encoders/retire", encoder_pages.retire, LEADS),
    Route("GET", "/projects/{project}/pre-labels", pre_label_pages.pre_labels_page, LEADS),
    Route("POST", "/projects/{project}/pre-labels", pre_label_pages.act, LEADS),
    Route(
        "POST",
        "/projects/{project}/pre-labels/file",
        pre_label_pages.upload,
        LEADS,
        most=pre_label_pages.MOST,
    ),
    Route(
        "POST",
        "/projects/{project}/pre-labels/model",
        model_pages.upload,
        LEADS,
        most=model_pages.MOST,
    ),
    Route("GET", "/projects/{project}/label-rules", rules_pages.label_rules_page, LEADS),
    Route("POST", "/projects/{project}/label-rules", rules_pages.begin, LEADS),
    Route("GET", "/projects/{project}/quality", quality_pages.quality_page, LEADS),
    Route("GET", "/projects/{project}/readers/{reader}", quality_pages.reader_page, LEADS),
    Route("POST", "/projects/{project}/readers/{reader}/pause", quality_pages.pause, LEADS),
    Route("GET", "/projects/{project}/feedback", feedback_pages.feedback_page, READERS),
    Route("POST", "/projects/{project}/feedback", feedback_pages.seen, READERS),
    Route("POST", "/alarms/{alarm}/feedback", quality_pages.let_out, LEADS),
    Route("GET", "/alarms/{alarm}", quality_pages.alarm_page, LEADS),
    Route("POST", "/alarms/{alarm}/check", quality_pages.check, LEADS),
    Route("POST", "/alarms/{alarm}/decide", quality_pages.decide, LEADS),
    Route("GET", "/people", people.people_page, LEADS),
    Route("POST", "/people", people.invite_somebody, LEADS),
    Route("POST", "/people/withdraw", people.withdraw, LEADS),
    Route("POST", "/people/{person}/password", people.password_link, LEADS),
    Route("POST", "/people/{person}/active", people.set_active, LEADS),
    Route("GET", "/account", own_account.account_page, READERS),
    Route("POST", "/account/password", own_account.change_password, READERS),
    Route("GET", "/password/{token}", own_account.password_page, ANYONE),
    Route("POST", "/password/{token}", own_account.new_password, ANYONE),
)

ROUTES = (*_API, *_PAGES)
