export {
  maxRouteLength,
  maxRoutes,
  parseRoute,
  type Route,
  routedHost,
  routeForms,
  routeText,
  tunnelNamePattern,
} from "./route.ts"
