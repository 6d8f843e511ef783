export {
  maxRouteLength,
  maxRoutes,
  parseRoute,
  type Route,
  routeCovers,
  routedHost,
  routeForms,
  routeText,
  tunnelNamePattern,
} from "./route.ts"
