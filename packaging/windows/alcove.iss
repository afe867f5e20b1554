; The setup program for Windows; `dev.py installer` calls Inno Setup with Version, Frozen (the folder) and Icon.
; For one person, without administrator's rights; what it writes it takes away again.

[Setup]
AppId={{7D0B4C0E-4F0C-4B77-9A6F-0A1C0E5A11C0}
AppName=Alcove
AppVersion={#Version}
AppPublisher=The Alcove developers
DefaultDirName={autopf}\Alcove
DefaultGroupName=Alcove
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile=..\..\LICENSE
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\alcove-window.exe
OutputBaseFilename=alcove-{#Version}-setup
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
ChangesAssociations=yes
ChangesEnvironment=yes
CloseApplications=yes

[Languages]
Name: "english"; MessagesFile: "compiler:Default.isl"
Name: "german"; MessagesFile: "compiler:Languages\German.isl"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked
Name: "associate"; Description: "{cm:AssocFileExtension,Alcove,.gguf}"
Name: "path"; Description: "Add the command alcove to PATH"; Flags: unchecked

[InstallDelete]
; Files of an older version that the new one no longer has.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Frozen}\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{autoprograms}\Alcove"; Filename: "{app}\alcove-window.exe"; AppUserModelID: "Alcove.Alcove"
Name: "{autodesktop}\Alcove"; Filename: "{app}\alcove-window.exe"; Tasks: desktopicon; AppUserModelID: "Alcove.Alcove"

[Registry]
Root: HKA; Subkey: "Software\Classes\.gguf\OpenWithProgids"; ValueType: string; ValueName: "Alcove.gguf"; \
    ValueData: ""; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\Alcove.gguf"; ValueType: string; ValueData: "GGUF language model"; \
    Flags: uninsdeletekey; Tasks: associate
Root: HKA; Subkey: "Software\Classes\Alcove.gguf\DefaultIcon"; ValueType: string; \
    ValueData: "{app}\alcove-window.exe,0"; Tasks: associate
Root: HKA; Subkey: "Software\Classes\Alcove.gguf\shell\open\command"; ValueType: string; \
    ValueData: """{app}\alcove-window.exe"" ""%1"""; Tasks: associate
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; \
    Check: IsMissingFromPath; Tasks: path

[Run]
Filename: "{app}\alcove-window.exe"; Description: "{cm:LaunchProgram,Alcove}"; Flags: nowait postinstall skipifsilent

[Code]
function IsMissingFromPath: Boolean;
var
  Old: string;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Old) then
    Old := '';
  Result := Pos(';' + Lowercase(ExpandConstant('{app}')) + ';', ';' + Lowercase(Old) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Old: string;
  Place: Integer;
begin
  if (Step = usUninstall) and RegQueryStringValue(HKCU, 'Environment', 'Path', Old) then
  begin
    Old := ';' + Old + ';';
    Place := Pos(';' + Lowercase(ExpandConstant('{app}')) + ';', Lowercase(Old));
    if Place > 0 then
    begin
      Delete(Old, Place, Length(ExpandConstant('{app}')) + 1);
      RegWriteExpandStringValue(HKCU, 'Environment', 'Path', Copy(Old, 2, Length(Old) - 2));
    end;
  end;
end;
