export { runSteps, type Finding, type FindingTable, type Report, type Step, type Verdict } from "./steps.ts"
export { diagnosisCode, writeDiagnosis } from "./diagnosis.ts"
