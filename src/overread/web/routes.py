# ruff: noqa: E501 - a table, one route a line
"""The one table of routes: method, path, what answers, and who may come.

A route that is not here does not exist: the guard works from this table, before the application.
Beyond the role, what belongs to a project or a reader is looked for among what is theirs; what is
not is not found (404), so that nobody learns that it is there.
"""

from __future__ import annotations

from overread.web import oidc, schemas
from overread.web.access.roles import ANYONE, LEADS, MEGA, READERS, Route
from overread.web.api import account, cases, describe, export, projects, tasks
from overread.web.pages import account as account_pages
from overread.web.pages import cases as case_pages
from overread.web.pages import imports, login_link, people, protocol, read, reports
from overread.web.pages import projects as project_pages

_ANSWER = 32 * MEGA  # masks of many frames

_API = (
    Route("POST", "/api/login", account.login, ANYONE, schemas.Me),
    Route("POST", "/api/logout", account.logout, READERS, schemas.Nothing),
    Route("GET", "/api/me", account.me, READERS, schemas.Me),
    Route("GET", "/api/openapi.json", describe.openapi, READERS),
    Route("GET", "/api/projects", projects.projects, READERS, list[schemas.ProjectOut]),
    Route("GET", "/api/projects/{project}/protocol", projects.protocol, READERS, schemas.ProtocolOut),
    Route("GET", "/api/projects/{project}/progress", projects.progress, READERS, schemas.ProgressOut),
    Route("POST", "/api/projects/{project}/claim", projects.claim, READERS, schemas.TasksOut),
    Route("GET", "/api/projects/{project}/reads/mine", projects.mine, READERS, list[schemas.OwnReadOut]),
    Route("GET", "/api/projects/{project}/atlas/{entry}/image", cases.atlas_image, READERS),
    Route("GET", "/api/projects/{project}/cases", cases.cases, LEADS, schemas.CasesOut),
    Route("GET", "/api/projects/{project}/imports", imports.imports, LEADS, schemas.ImportsOut),
    Route("GET", "/api/projects/{project}/export", export.export, LEADS),
    Route("GET", "/api/cases/{case}/frames/{number}", cases.frame, READERS),
    Route("GET", "/api/cases/{case}/thumbnail", cases.thumbnail, READERS),
    Route("GET", "/api/cases/{case}/pictures/{number}", cases.picture, LEADS),
    Route("GET", "/api/cases/{case}/reads", cases.reads, LEADS, schemas.CaseReadsOut),
    Route("GET", "/api/cases/{case}/consensus", cases.consensus, LEADS, schemas.ConsensusOut),
    Route("POST", "/api/tasks/{task}/heartbeat", tasks.heartbeat, READERS, schemas.LeaseOut),
    Route("POST", "/api/tasks/{task}/skip", tasks.skip, READERS, schemas.Nothing),
    Route("POST", "/api/tasks/{task}/release", tasks.release, READERS, schemas.Nothing),
    Route("PUT", "/api/tasks/{task}/draft", tasks.draft, READERS, schemas.VersionOut, _ANSWER),
    Route("POST", "/api/tasks/{task}/submit", tasks.submit, READERS, schemas.ReceiptOut, _ANSWER),
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
    Route("GET", "/projects/{project}/import", imports.import_page, LEADS),
    Route("POST", "/projects/{project}/import", imports.upload, LEADS, most=imports.MOST_BYTES),
    Route("POST", "/projects/{project}/import/folder", imports.from_folder, LEADS),
    Route("POST", "/projects/{project}/import/stop", imports.stop, LEADS),
    Route("GET", "/projects/{project}/members", project_pages.members_page, LEADS),
    Route("POST", "/projects/{project}/members", project_pages.members, LEADS),
    Route("GET", "/projects/{project}/export", project_pages.export_page, LEADS),
    Route("GET", "/cases/{case}", case_pages.case, LEADS),
    Route("GET", "/reports/{path:path}", reports.report, LEADS),
    Route("GET", "/people", people.people_page, LEADS),
    Route("POST", "/people", people.invite_somebody, LEADS),
)

ROUTES = (*_API, *_PAGES)
